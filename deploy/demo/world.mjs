// The made-up product whose traffic it is: a small writing tool, with a site before it.

/** Where the pages are: an address that nobody can own. */
export const SITE = 'https://quill.example';

/** Pages, and how much of a visit goes to each. @type {[string, string, number][]} */
export const PAGES = [
  ['/', 'Quill', 30],
  ['/pricing', 'Pricing', 12],
  ['/features', 'Features', 9],
  ['/templates', 'Templates', 8],
  ['/blog', 'Blog', 6],
  ['/blog/write-less', 'Write less', 9],
  ['/blog/first-drafts', 'First drafts', 5],
  ['/blog/editing-with-models', 'Editing with models', 7],
  ['/docs', 'Help', 5],
  ['/docs/import', 'Import', 3],
  ['/docs/shortcuts', 'Shortcuts', 2],
  ['/app', 'Your texts', 22],
  ['/app/editor', 'Editor', 26],
  ['/app/settings', 'Settings', 4],
  ['/sign-up', 'Sign up', 5],
];

/** What of the product is used. @type {[string, number][]} */
export const FEATURES = [
  ['rewrite', 20],
  ['outline', 14],
  ['export-pdf', 9],
  ['share-link', 8],
  ['dark-mode', 4],
  ['word-count', 7],
  ['comments', 6],
  ['version-history', 4],
  ['find-and-replace', 5],
  ['dictation', 2],
];

/** @type {[string, number][]} */
export const CONTENT = [
  ['note', 40],
  ['blog-post', 25],
  ['newsletter', 12],
  ['report', 8],
  ['press-release', 3],
];

/** Models, and what a thousand tokens of each cost in millionths of a dollar. @type {[[string, number], number][]} */
export const MODELS = [
  [['scribe-mini', 150], 60],
  [['scribe', 900], 30],
  [['scribe-large', 6000], 8],
];

/**
 * Where visits come from: referrer, the campaign in the address, weight.
 * @type {[{ referrer?: string, utm?: string }, number][]}
 */
export const SOURCES = [
  [{}, 34],
  [{ referrer: 'https://www.google.com/' }, 28],
  [{ referrer: 'https://news.ycombinator.com/item?id=1' }, 5],
  [{ referrer: 'https://duckduckgo.com/' }, 5],
  [{ referrer: 'https://www.reddit.com/r/writing/' }, 6],
  [{ referrer: 'https://t.co/abc' }, 4],
  [{ referrer: 'https://www.linkedin.com/' }, 3],
  [{ referrer: 'https://github.com/' }, 3],
  [{ utm: 'utm_source=newsletter&utm_medium=email&utm_campaign=weekly' }, 7],
  [{ utm: 'utm_source=google&utm_medium=cpc&utm_campaign=write-faster', referrer: 'https://www.google.com/' }, 4],
  [{ utm: 'utm_source=podcast&utm_medium=audio&utm_campaign=drafts' }, 2],
];

/**
 * Countries with a region of each, and by how many hours their clocks are ahead of UTC.
 * @type {[[string, string, number], number][]}
 */
export const COUNTRIES = [
  [['US', 'California', -8], 22],
  [['US', 'New York', -5], 14],
  [['DE', 'Bavaria', 1], 14],
  [['GB', 'England', 0], 10],
  [['FR', 'Île-de-France', 1], 8],
  [['IN', 'Karnataka', 5.5], 9],
  [['BR', 'São Paulo', -3], 6],
  [['JP', 'Tokyo', 9], 5],
  [['NL', 'North Holland', 1], 4],
  [['PL', 'Mazovia', 1], 3],
  [['AU', 'New South Wales', 10], 3],
  [['CA', 'Ontario', -5], 4],
];

/** @type {[string, number][]} */
export const AGENTS = [
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36',
    34,
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 ' +
      'Safari/605.1.15',
    14,
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 ' +
      'Safari/537.36',
    14,
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
      'Version/19.0 Mobile/15E148 Safari/604.1',
    16,
  ],
  [
    'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile ' +
      'Safari/537.36',
    12,
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', 5],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 ' +
      'Safari/537.36 Edg/150.0.0.0',
    5,
  ],
];

/** @type {[{ message: string, source: string }, number][]} */
export const ERRORS = [
  [{ message: "TypeError: Cannot read properties of undefined (reading 'blocks')", source: `${SITE}/app.js` }, 6],
  [{ message: 'NetworkError: the draft could not be saved', source: `${SITE}/save.js` }, 4],
  [{ message: 'ResizeObserver loop completed with undelivered notifications.', source: `${SITE}/app.js` }, 3],
];

/** Web Vitals: a name, the usual value, and how many decimals it has. @type {[string, number, number][]} */
export const VITALS = [
  ['LCP', 1900, 0],
  ['INP', 140, 0],
  ['CLS', 0.06, 3],
  ['FCP', 1100, 0],
  ['TTFB', 380, 0],
];

/** How much of a day's traffic comes in each local hour, from midnight on. */
export const HOURS = [2, 1, 1, 1, 1, 2, 4, 7, 11, 14, 15, 15, 13, 14, 15, 14, 13, 12, 11, 12, 12, 10, 7, 4];

/** How much of a week's traffic comes on each day, from Sunday on. */
export const WEEKDAYS = [0.6, 1.1, 1.15, 1.15, 1.1, 1, 0.65];

/** What happens in the product's own services, by its source. */
export const SERVICES = { accounts: 'iam.user-registered', billing: 'billing.subscription', exports: 'exports.job' };
