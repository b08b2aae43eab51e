// Tidepool: a small made-up app with routes, as an app would have them. It does nothing special to
// be counted: views are seen by their path, buttons by `data-shoreline-feature`.

const all = (/** @type {string} */ selector) => [...document.querySelectorAll(selector)];
const byId = (/** @type {string} */ id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';

const CREATURES = [
  {
    id: 'limpet',
    name: 'Common limpet',
    latin: 'Patella vulgata',
    zone: 'upper',
    text: 'Grazes at high water and finds its way back to the very spot its shell fits.',
  },
  {
    id: 'winkle',
    name: 'Edible periwinkle',
    latin: 'Littorina littorea',
    zone: 'upper',
    text: 'Shuts a small door behind it and waits for the sea.',
  },
  {
    id: 'anemone',
    name: 'Beadlet anemone',
    latin: 'Actinia equina',
    zone: 'middle',
    text: 'A blob of jelly when dry, a flower when covered, and at war with its neighbours.',
  },
  {
    id: 'crab',
    name: 'Shore crab',
    latin: 'Carcinus maenas',
    zone: 'middle',
    text: 'Under every third stone, and never pleased to be found there.',
  },
  {
    id: 'goby',
    name: 'Rock goby',
    latin: 'Gobius paganellus',
    zone: 'lower',
    text: 'Remembers the pools it saw at high water and jumps from one to the next.',
  },
  {
    id: 'star',
    name: 'Cushion star',
    latin: 'Asterina gibbosa',
    zone: 'lower',
    text: 'Starts life male, ends it female, and eats what others leave.',
  },
];

const TIDES = ['Falling: two hours to low water.', 'Low water. Go now.', 'Rising: keep an eye on the way back.'];
const ANSWERS = [
  'Very likely a goby: they sit still and trust their coat.',
  'If it closed when touched, an anemone.',
  'Put the stone back as it was, and look again tomorrow.',
];

const pool = new Map();
const turn = (/** @type {string[]} */ list, /** @type {{ n: number }} */ at) => list[at.n++ % list.length];
const turns = { tide: { n: 0 }, surprise: { n: 0 }, ask: { n: 0 } };

/** @param {string} id */
function picture(id) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 32 32');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#${id}`);
  svg.append(use);
  return svg;
}

/** @param {string} tag @param {string} text */
function text(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function showCreatures() {
  const zone = new URLSearchParams(location.search).get('zone') ?? '';
  for (const chip of all('[data-zone]')) chip.setAttribute('aria-pressed', String(chip.dataset.zone === zone));
  byId('creatures').replaceChildren(...CREATURES.filter((one) => !zone || one.zone === zone).map(card));
}

function card(creature) {
  const item = document.createElement('li');
  const add = document.createElement('button');
  const label = () => {
    add.textContent = pool.has(creature.id) ? 'In your pool' : 'Add to your pool';
    add.setAttribute('aria-label', `${add.textContent}: ${creature.name}`);
  };
  add.type = 'button';
  add.dataset.shorelineFeature = 'add-to-pool';
  add.addEventListener('click', () => {
    pool.set(creature.id, creature);
    label();
    showPool();
  });
  label();
  item.append(
    picture(creature.id),
    text('h2', creature.name),
    text('em', creature.latin),
    text('p', creature.text),
    add,
  );
  return item;
}

function showPool() {
  byId('kept-count').textContent = String(pool.size);
  byId('pool-note').textContent = pool.size
    ? `${pool.size} of ${CREATURES.length} live here.`
    : 'Empty, but for the light. Add creatures from the guide.';
  byId('pool').replaceChildren(
    ...[...pool.values()].map((one) => {
      const item = document.createElement('li');
      item.append(picture(one.id), text('span', one.name));
      return item;
    }),
  );
}

/** Shows the page of the present path; an unknown one is the shore. */
function show() {
  const known =
    all('[data-page]').find((page) => page.dataset.page === location.pathname) ??
    document.querySelector('[data-page="/"]');
  for (const page of all('[data-page]')) page.hidden = page !== known;
  for (const link of all('nav [data-route]')) {
    if (link.dataset.route === known.dataset.page) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = known.dataset.title;
  showCreatures();
  showPool();
  return known;
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-route]');
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, '', link.dataset.route);
  // As after a full load: from the top, and read from the heading on.
  const page = show();
  scrollTo(0, 0);
  page.querySelector('h1').focus({ preventScroll: true });
});
addEventListener('popstate', show);

/** What the buttons do. Being counted is no part of it. */
const actions = {
  'tide-check': () => (byId('hero-note').textContent = turn(TIDES, turns.tide)),
  surprise: () =>
    (byId('hero-note').textContent = turn(
      CREATURES.map((one) => `${one.name}. ${one.text}`),
      turns.surprise,
    )),
  feed: () =>
    (byId('pool-note').textContent = pool.size
      ? 'Something moved, and the food is gone.'
      : 'Nobody is there to eat it.'),
  'fresh-water': () => (byId('pool-note').textContent = 'Cold, clear, and smelling of weed.'),
  'release-all': () => (pool.clear(), showPool()),
};
for (const [feature, act] of Object.entries(actions))
  document.querySelector(`[data-shoreline-feature="${feature}"]`).addEventListener('click', act);

for (const chip of all('[data-zone]')) {
  chip.addEventListener('click', () => {
    // The same page, looked at otherwise: the address says so, and it is no new view.
    history.replaceState(null, '', chip.dataset.zone ? `?zone=${chip.dataset.zone}` : location.pathname);
    showCreatures();
  });
}

byId('journal').addEventListener('submit', (event) => {
  event.preventDefault();
  const entry = byId('entry').value.trim();
  if (!entry) return void (byId('journal-note').textContent = 'Write something first.');
  byId('entries').prepend(text('li', entry));
  byId('entry').value = '';
  byId('journal-note').textContent = 'Saved, for as long as this page is open.';
  // That something was written is counted, not what.
  window.shoreline?.('track', 'content_create', { contentType: 'journal-entry' });
});

byId('ask').addEventListener('click', () => {
  byId('journal-note').textContent = turn(ANSWERS, turns.ask);
  window.shoreline?.('track', 'ai_request', { model: 'tide-mini', tokens: 42, cost: '0.000084' });
});

show();
