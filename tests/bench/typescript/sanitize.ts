// Values as they may be stored: cleaned strings, bounded arrays, objects without secrets.
import { cleanUrl, kindOf, REDACTED, truncateIp, type KeyKind } from './privacy.ts';

const MAX_CHARS = 1_000;
const MAX_ITEMS = 100;
const MAX_DEPTH = 16;

const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;
const ABSOLUTE_URL = /^https?:\/\//i;

/** A string without control characters and outer spaces, cut. */
export function cleanText(text: string): string {
  const trimmed = text.replace(CONTROLS, '').trim();
  if (trimmed.length <= MAX_CHARS) return trimmed;
  const cut = trimmed.slice(0, MAX_CHARS);
  // Not inside a surrogate pair.
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut.trimEnd();
}

function cleanValue(value: unknown, kind: KeyKind, depth: number): unknown {
  switch (typeof value) {
    case 'string': {
      if (kind === 'ip') return truncateIp(value.trim());
      const text = cleanText(value);
      return kind === 'url' || ABSOLUTE_URL.test(text) ? cleanUrl(text) : text;
    }
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'boolean':
      return value;
    case 'object':
      if (value === null || depth > MAX_DEPTH) return undefined;
      if (Array.isArray(value)) {
        return value
          .slice(0, MAX_ITEMS)
          .map((item) => cleanValue(item, kind, depth + 1))
          .filter((item) => item !== undefined);
      }
      return sanitize(value as Record<string, unknown>, depth);
    default:
      return undefined;
  }
}

/** An object of the sender's, its strings, arrays and objects cleaned. */
export function sanitize(fields: Record<string, unknown>, depth = 2): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [rawKey, raw] of Object.entries(fields)) {
    const key = cleanText(rawKey);
    const kind = kindOf(key);
    if (kind === 'dropped' || raw === null) continue;
    const value = kind === 'secret' ? REDACTED : cleanValue(raw, kind, depth + 1);
    if (value !== undefined) clean[key] = value;
  }
  return clean;
}
