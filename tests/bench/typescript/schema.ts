// The wire contract of `POST /v1/events`, as zod has it.
import { z } from 'zod';

const TYPES = [
  'page_view',
  'feature_use',
  'content_create',
  'ai_request',
  'error',
  'page_leave',
  'web_vital',
  'outbound',
  'download',
  'form',
  'custom',
  'identify',
] as const;

const DAY_MS = 86_400_000;
const RETENTION_DAYS = 30;

const text = z.string().trim().min(1);
const instant = z.union([z.number(), z.iso.datetime({ offset: true }).transform((value) => Date.parse(value))]);
const timestamp = instant.refine(
  (at) => at <= Date.now() + DAY_MS && at >= Date.now() - RETENTION_DAYS * DAY_MS,
  'timestamp_out_of_range',
);

export const eventSchema = z
  .object({
    eventId: z.uuid().toLowerCase().nullish(),
    eventType: z.enum(TYPES),
    userId: text,
    sessionId: text,
    timestamp: timestamp.nullish(),
    eventData: z.record(z.string(), z.unknown()).nullish(),
    metadata: z.looseObject({ platform: text }),
  })
  .refine(({ eventType, eventData }) => eventType !== 'feature_use' || text.safeParse(eventData?.feature).success, {
    path: ['eventData', 'feature'],
    message: 'missing_field',
  });

export const batchSchema = z.object({
  batchId: z.uuid().toLowerCase().nullish(),
  sentAt: instant.nullish(),
  events: z.array(z.unknown()).min(1).max(100),
});

export type ValidEvent = z.infer<typeof eventSchema>;

/** One event's fate, where it was not accepted. */
export interface Result {
  index: number;
  eventId?: unknown;
  status: 'rejected' | 'duplicate';
  code: string;
  field?: string;
  message?: string;
}

const CODES: Partial<Record<z.core.$ZodIssue['code'], string>> = {
  invalid_type: 'wrong_type',
  too_small: 'empty_field',
  invalid_value: 'invalid_event_type',
  invalid_format: 'invalid_event_id',
};

/** The first failure of an event, as the contract tells it. */
export function rejection(index: number, event: unknown, { issues: [issue] }: z.ZodError): Result {
  const eventId = (event as { eventId?: unknown } | null)?.eventId;
  const field = issue?.path.join('.');
  const code = issue?.code === 'custom' ? issue.message : (CODES[issue?.code ?? 'custom'] ?? 'wrong_type');
  return { index, eventId, status: 'rejected', code, field, message: issue?.message };
}
