// What must not be stored of a visitor: whole addresses, query parameters, secrets.

export const REDACTED = '[redacted]';

const SECRETS = new Set([
  'password',
  'passwd',
  'secret',
  'token',
  'accesstoken',
  'refreshtoken',
  'apikey',
  'authorization',
  'cookie',
  'ssn',
  'cvv',
]);
const URLS = new Set(['url', 'path', 'page', 'referrer', 'href']);
const ADDRESSES = new Set(['ip', 'ipaddress', 'clientip', 'remoteaddr', 'remoteip', 'xforwardedfor', 'realip']);
const DROPPED = new Set(['__proto__', 'constructor', 'prototype']);

/** Advertising networks' ids: that there was one is kept, the id is not. */
const CLICK_IDS = new Set([
  'gclid',
  'gbraid',
  'wbraid',
  'dclid',
  'fbclid',
  'msclkid',
  'ttclid',
  'twclid',
  'li_fat_id',
  'yclid',
]);

export type KeyKind = 'plain' | 'secret' | 'url' | 'ip' | 'dropped';

/** Pages send the same few keys again and again. */
const kinds = new Map<string, KeyKind>();
const MAX_KINDS = 1_000;

/** What a key says about the value under it. */
export function kindOf(key: string): KeyKind {
  const known = kinds.get(key);
  if (known) return known;
  const name = key.toLowerCase().replace(/[-_]/g, '');
  let kind: KeyKind = 'plain';
  if (DROPPED.has(key)) kind = 'dropped';
  else if (SECRETS.has(name)) kind = 'secret';
  else if (URLS.has(name)) kind = 'url';
  else if (ADDRESSES.has(name)) kind = 'ip';
  if (kinds.size < MAX_KINDS) kinds.set(key, kind);
  return kind;
}

/** An IPv4 address to /24, an IPv6 address to /48. */
export function truncateIp(address: string): string {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.\d{1,3}$/.exec(address);
  if (v4) return `${v4[1]}.${v4[2]}.${v4[3]}.0`;
  if (!address.includes(':')) return REDACTED;
  const [head = '', tail] = address.split('::');
  const groups = head ? head.split(':') : [];
  if (tail !== undefined) while (groups.length < 3) groups.push('0');
  return `${groups.slice(0, 3).join(':')}::`;
}

const EMAIL = /[^\s/@]+@[^\s/@]+\.[a-z]{2,}/gi;

/** A URL without fragment, user information, and query parameters that are not on the allow-list. */
export function cleanUrl(url: string): string {
  const fragment = url.indexOf('#');
  const whole = fragment < 0 ? url : url.slice(0, fragment);
  const mark = whole.indexOf('?');
  let base = mark < 0 ? whole : whole.slice(0, mark);
  if (base.includes('@')) base = base.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1').replace(EMAIL, REDACTED);
  if (mark < 0) return base;
  const kept = whole
    .slice(mark + 1)
    .split('&')
    .flatMap((pair) => {
      const name = pair.split('=', 1)[0] ?? '';
      if (name.startsWith('utm_') || name === 'ref') return [pair.replace(EMAIL, REDACTED)];
      return CLICK_IDS.has(name) ? [`${name}=true`] : [];
    });
  return kept.length > 0 ? `${base}?${kept.join('&')}` : base;
}

/** The path of a cleaned URL: what names the page. */
export function pathOf(url: string): string {
  const base = url.split(/[?#]/, 1)[0] ?? '';
  const path = base.replace(/^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/]*/i, '');
  return path || '/';
}
