// A site's goals as the API keeps them.
import type { Filter } from '../../filters';

/** A goal. */
export interface Goal {
  goalId: string;
  name: string;
  filter: Filter;
}

/** `GET /v1/analytics/goals` */
export interface Goals {
  goals: Goal[];
}

export const GOALS = '/v1/analytics/goals';

/** What is asked of each, in this order. */
export const METRICS = ['conversions', 'converted', 'conversionRate', 'revenue'] as const;
