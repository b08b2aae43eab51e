// Visits: who comes, and what they do. Pure: a seed decides all of it.
import { Random } from './random.mjs';
import {
  AGENTS,
  CONTENT,
  COUNTRIES,
  ERRORS,
  FEATURES,
  MODELS,
  PAGES,
  SERVICES,
  SITE,
  SOURCES,
  VITALS,
} from './world.mjs';

/**
 * @typedef {{ number: number, userId: string, agent: string, country: string, region: string, ahead: number, works:
 *   boolean }} Visitor
 * @typedef {{ eventId: string, eventType: string, userId?: string, sessionId?: string, source?: string, eventData:
 *   Record<string, unknown>, after: number }} Act something that happens `after` so many milliseconds since what
 *   happened before it
 */

/** Of the visitors of a day those who are new; the others came before. */
const NEW_SHARE = 0.4;

/** A visitor who comes again does so after so many days, in the mean. */
const RETURNS_AFTER_DAYS = 6;

/**
 * A visitor, by number: the same in every run of a seed.
 * @param {string} seed
 * @param {number} number
 * @returns {Visitor}
 */
export function visitorOf(seed, number) {
  const random = new Random(seed, 'visitor', number);
  const [country, region, ahead] = random.weighted(COUNTRIES);
  return {
    number,
    userId: `demo-${random.uuid()}`,
    agent: random.weighted(AGENTS),
    country,
    region,
    ahead,
    works: random.chance(0.35),
  };
}

/**
 * Who comes on a day. Numbers are given out by the day on which one first comes, so that it does not
 * matter which days are made: a visitor of today is the one who was here last week.
 * @param {string} seed
 * @param {number} day days since 1970
 * @param {number} visits
 */
export function visitorsOn(seed, day, visits) {
  const random = new Random(seed, 'day', day);
  const newcomers = Math.max(1, Math.round(visits * NEW_SHARE));
  return Array.from({ length: visits }, (_, index) => {
    const back = index < newcomers ? 0 : 1 + Math.floor(random.wait(RETURNS_AFTER_DAYS));
    // A day has at most a million newcomers: their numbers do not meet.
    return {
      ...visitorOf(seed, (day - back) * 1_000_000 + (back === 0 ? index : random.whole(0, newcomers - 1))),
      isNew: back === 0,
    };
  });
}

/**
 * What a visitor does in one visit, in order.
 * @param {string} seed
 * @param {string} visit a name that no other visit has
 * @param {Visitor & { isNew?: boolean }} visitor
 * @returns {Act[]}
 */
export function visitOf(seed, visit, visitor) {
  const random = new Random(seed, 'visit', visit);
  const sessionId = random.uuid();
  /** @type {Act[]} */
  const acts = [];
  const act = (
    /** @type {string} */ eventType,
    /** @type {Record<string, unknown>} */ eventData,
    /** @type {number} */ after,
  ) =>
    acts.push({
      eventId: random.uuid(),
      eventType,
      userId: visitor.userId,
      sessionId,
      eventData,
      after: Math.round(after),
    });
  const tell = (/** @type {keyof typeof SERVICES} */ source, /** @type {Record<string, unknown>} */ eventData) =>
    acts.push({
      eventId: random.uuid(),
      eventType: SERVICES[source],
      userId: visitor.userId,
      source,
      eventData,
      after: 400,
    });

  const from = random.weighted(SOURCES);
  const views = 1 + Math.floor(random.wait(visitor.works ? 4 : 1.6));
  for (let view = 0; view < Math.min(views, 15); view += 1) {
    const [path, title] = random.weighted(
      PAGES.map(([path, title, weight]) => [
        [path, title],
        visitor.works === path.startsWith('/app') ? weight * 3 : weight,
      ]),
    );
    const isFirst = view === 0;
    act(
      'page_view',
      {
        url: `${SITE}${path}${isFirst && from.utm ? `?${from.utm}` : ''}`,
        title,
        ...(isFirst && from.referrer && { referrer: from.referrer }),
      },
      isFirst ? 0 : 500,
    );
    if (isFirst)
      for (const [name, usual, decimals] of VITALS)
        if (random.chance(0.6))
          act(
            'web_vital',
            { name, value: Number((usual * (0.5 + random.wait(0.6))).toFixed(decimals)), url: `${SITE}${path}` },
            300,
          );
    const engagedMs = Math.round(2_000 + random.wait(25_000));
    if (path.startsWith('/app')) inTheProduct(random, act, tell);
    if (random.chance(0.015)) act('error', random.weighted(ERRORS), 700);
    if (random.chance(0.04))
      act('outbound', { url: random.pick(['https://github.com/quill', 'https://status.quill.example/']) }, 900);
    act('page_leave', { url: `${SITE}${path}`, engagedMs, scrollDepth: random.whole(10, 100) }, engagedMs);
  }
  if (visitor.isNew && visitor.works)
    tell('accounts', {
      plan: random.weighted([
        ['free', 8],
        ['pro', 2],
      ]),
    });
  return acts;
}

/**
 * @param {Random} random
 * @param {(type: string, data: Record<string, unknown>, after: number) => void} act
 * @param {(source: keyof typeof SERVICES, data: Record<string, unknown>) => void} tell
 */
function inTheProduct(random, act, tell) {
  if (random.chance(0.7))
    act(
      'feature_use',
      { feature: random.weighted(FEATURES), duration: Math.round(random.wait(4_000)) },
      random.wait(6_000),
    );
  if (random.chance(0.25)) act('content_create', { contentType: random.weighted(CONTENT) }, random.wait(9_000));
  if (random.chance(0.35)) {
    const [model, price] = random.weighted(MODELS);
    const tokens = Math.round(200 + random.wait(1_200));
    // In millionths of a dollar, which stay whole numbers.
    act(
      'ai_request',
      { model, tokens, cost: (Math.round((tokens * price) / 1_000) / 1_000_000).toFixed(6) },
      random.wait(5_000),
    );
  }
  if (random.chance(0.03))
    tell('billing', {
      status: random.weighted([
        ['started', 5],
        ['renewed', 9],
        ['cancelled', 2],
      ]),
      amount: random.pick([9, 19, 49]),
    });
  if (random.chance(0.05))
    tell('exports', {
      status: random.weighted([
        ['done', 18],
        ['failed', 1],
      ]),
      format: random.pick(['pdf', 'docx', 'html']),
    });
}
