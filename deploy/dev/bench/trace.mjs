// What Chromium's trace tells of a page's main thread.

/** Tasks and microtasks; scripts; what the engine does for a script; what it does for a module. */
export const CATEGORIES = [
  'toplevel',
  'devtools.timeline',
  'v8',
  'v8.wasm',
  'disabled-by-default-v8.wasm.detailed',
  '__metadata',
];

const TASK = 'ThreadControllerImpl::RunTask';

/** Of the tracker if they name its script. */
const SCRIPTS = /^(EvaluateScript|FunctionCall|v8\.compile)$/;

/** Of the tracker in any case: the page has no other timers, promises or modules. */
const ITS_OWN = /^(TimerFire|BlinkScheduler_PerformMicrotaskCheckpoint|RunMicrotasks|wasm\..*)$/;

/**
 * The tasks of the main thread of the page at a URL: their processor time, ms, and the tracker's part in
 * it, and of that what came until the module was begun. What the browser does to fetch a script, and to
 * answer what it asked for, is no part of it, but of the page's whole.
 * @param {any[]} events
 * @param {string} url
 * @returns {{ ms: number, ours: number, init: number }[]}
 */
export function tasksOf(events, url) {
  const site = url.replace(/[^/]*$/, '');
  const tells = (/** @type {RegExp} */ of) =>
    events.find(({ name, args }) => of.test(name) && JSON.stringify(args).includes(site));
  // The page that is loaded, beside one that is being closed; or else the one that runs.
  const page = tells(/^ParseHTML$/) ?? tells(SCRIPTS);
  if (!page) throw new Error('the trace does not tell of the page');
  const here = events.filter(
    ({ ph, pid, tid, tdur }) => ph === 'X' && pid === page.pid && tid === page.tid && tdur > 0,
  );
  const isOurs = (/** @type {any} */ { name, args }) =>
    ITS_OWN.test(name) || (SCRIPTS.test(name) && /shoreline/.test(args?.data?.url ?? args?.fileName ?? ''));
  const ours = outermost(here.filter(isOurs));
  // The module is begun with in the microtasks that follow its compilation.
  const begun = ours.findLastIndex(({ name }) => name.startsWith('wasm.')) + 1;
  const inits = ours.slice(0, begun && begun + 1);
  const tasks = outermost(here.filter(({ name }) => name === TASK));
  // Microtasks come when the task itself has ended, and belong to it all the same.
  const outer = outermost(here);
  return tasks.map(({ ts }, n) => {
    const next = tasks[n + 1]?.ts ?? Infinity;
    const within = (/** @type {any[]} */ parts) =>
      parts.filter((part) => part.ts >= ts && part.ts < next).reduce((sum, part) => sum + part.tdur / 1000, 0);
    return { ms: within(outer), ours: within(ours), init: within(inits) };
  });
}

/** Those that lie in no other: a call within a call is part of it. @param {any[]} events */
function outermost(events) {
  let end = 0;
  return events
    .sort((a, b) => a.ts - b.ts || b.dur - a.dur)
    .filter(({ ts, dur }) => {
      const lies = ts < end;
      if (!lies) end = ts + dur;
      return !lies;
    });
}
