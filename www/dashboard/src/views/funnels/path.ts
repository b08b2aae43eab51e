// A journey: what sessions did one after the other.

/** A path of `POST /v1/analytics/query/journeys`. */
export interface Path {
  steps: [kind: string, key: string][];
  sessions: number;
  share: number;
}

/** As one reads it. */
export const pathText = ({ steps }: Path): string => steps.map(([, key]) => key).join(' → ');
