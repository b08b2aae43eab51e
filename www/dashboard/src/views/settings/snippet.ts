// What to paste into pages, and what their Content Security Policy must allow.
import { fill, h } from '../../dom';
import { setQuietly } from '../../place';
import { tabs } from '../../ui/tabs';
import { copyable, snippetText, withAttributes } from '../../ui/onboarding';
import { panel } from '../../ui/panel';
import type { Context } from '../../view';

/** `/tracker.json`, written by the build: the script by the name that never changes its content. */
interface Tracker {
  script: string;
  integrity: string;
}

/** A browser key. What is typed is shown only where it is one, and sent nowhere. */
const BROWSER_KEY = /^slb_[a-z0-9-]{1,40}_[a-z2-7]{20,60}$/;

/** The captures that are off by default, and options. */
const OPTIONS: readonly (readonly [attribute: string, what: string])[] = [
  ['data-outbound', 'Links to other hosts'],
  ['data-downloads', 'Downloads'],
  ['data-forms', 'Forms, never what is in them'],
  ['data-errors', 'Errors'],
  ['data-vitals', 'Web Vitals'],
  ['data-hash', 'Hash routing'],
  ['data-consent="denied"', 'Wait for consent'],
  ['data-storage="none"', 'Keep nothing in the browser'],
  ['data-hash-ids', 'Keep hashes of users’ ids'],
  ['data-stitch="off"', 'Do not join ids that identify() tells'],
  ['data-include-local', 'Count on this machine too'],
];

/** The panel. */
export function snippetPanel(context: Context, site: string): HTMLElement {
  const pinned = context.params.get('version') === 'pinned';
  return panel<Tracker>(context, {
    title: 'Snippet',
    class: 'wide snippet',
    lines: 24,
    live: false,
    note: ['For pages of ', h('b', null, site), ', before the end of their head.'],
    tools: tabs('Version', 'version', pinned ? 'pinned' : 'latest', [
      ['latest', 'Follows deployments'],
      ['pinned', 'One version'],
    ]),
    load: (get) => get<Tracker>('/tracker.json'),
    render: (tracker) => snippetForm(context, site, pinned ? tracker : undefined),
  });
}

function snippetForm({ params }: Context, site: string, tracker: Tracker | undefined): HTMLElement {
  const chosen = new Set((params.get('with') ?? '').split(',').filter(Boolean));
  const key = h('input', {
    id: 'snippet-key',
    placeholder: `slb_${site}_…`,
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'snippet-key-hint',
  });
  const text = h('div', null);
  const policy = h('div', null);
  const draw = (): void => {
    const typed = key.value.trim();
    const shownKey = BROWSER_KEY.test(typed) ? typed : `slb_${site}_…`;
    const attributes = OPTIONS.map(([attribute]) => attribute).filter((attribute) => chosen.has(attribute));
    fill(text, copyable(withOptions(snippetText(location.origin, shownKey), tracker, attributes), 'The snippet'));
    key.setAttribute('aria-invalid', String(typed !== '' && !BROWSER_KEY.test(typed)));
  };
  key.addEventListener('input', draw);
  const boxes = OPTIONS.map(([attribute, what], n) => {
    const box = h('input', { id: `option-${n}`, type: 'checkbox', checked: chosen.has(attribute) });
    box.addEventListener('change', () => {
      if (box.checked) chosen.add(attribute);
      else chosen.delete(attribute);
      setQuietly({ with: [...chosen].join(',') || undefined });
      draw();
    });
    return h(
      'div',
      { class: 'tick' },
      box,
      h('label', { for: `option-${n}` }, what),
      h('code', { class: 'soft hint' }, attribute),
    );
  });
  draw();
  void policyText(snippetText(location.origin, ''), tracker).then((line) =>
    fill(policy, copyable(line, 'The Content Security Policy')),
  );
  return h(
    'div',
    { class: 'snippet-form' },
    h(
      'div',
      { class: 'field' },
      h('label', { for: 'snippet-key' }, 'Browser key'),
      key,
      h(
        'p',
        { id: 'snippet-key-hint', class: 'hint' },
        'It is public, and was shown when it was made. It stays in this field.',
      ),
    ),
    h('fieldset', { class: 'options' }, h('legend', null, 'Also count, and how'), boxes),
    h('h3', null, 'Paste'),
    text,
    h('h3', null, 'If the page has a Content Security Policy'),
    policy,
    h(
      'p',
      { class: 'hint' },
      '‘wasm-unsafe-eval’ lets the browser compile WebAssembly; it allows no eval() of text. Without it, events ' +
        'are sent one by one.',
    ),
  );
}

/** The snippet with attributes, and with the script of one version. */
function withOptions(snippet: string, tracker: Tracker | undefined, attributes: readonly string[]): string {
  const whole = withAttributes(snippet, attributes.map((attribute) => ` ${attribute}`).join(''));
  if (!tracker) return whole;
  return whole
    .replace('<script defer src=', '<script defer crossorigin="anonymous" src=')
    .replace(
      `${location.origin}/shoreline.js"`,
      `${location.origin}${tracker.script}" integrity="${tracker.integrity}"`,
    );
}

/** The sources that a page's policy needs; the hash is that of the inline line above. */
async function policyText(snippet: string, tracker: Tracker | undefined): Promise<string> {
  const stub = snippet.slice(snippet.indexOf('>') + 1, snippet.indexOf('</script>'));
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(stub)));
  const hash = `'sha256-${btoa(String.fromCharCode(...digest))}'`;
  const script = tracker ? `${location.origin}${tracker.script}` : location.origin;
  return `script-src ${script} 'wasm-unsafe-eval' ${hash}; connect-src ${location.origin}`;
}
