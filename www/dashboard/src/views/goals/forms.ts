// Making and removing goals: with the admin token.
import { call } from '../../api';
import { fill, h } from '../../dom';
import { filterChange, partsOf, whole, words } from '../../filters';
import { go, href } from '../../place';
import { forget } from '../../reads';
import { adminGate, isAdmin } from '../../ui/admin';
import { ask } from '../../ui/dialog';
import { form, input } from '../../ui/form';
import type { Context } from '../../view';
import type { Goal, Goals } from './goals';

const MAX_NAME = 100;

/** The forms, behind the admin token. */
export function goalForms(context: Context): HTMLElement {
  if (!isAdmin())
    return h(
      'details',
      { class: 'wide goal-admin' },
      h('summary', null, 'Set goals'),
      adminGate(context, 'Set goals', 'Goals are kept with the site: setting them takes the admin token.'),
    );
  const list = h('div', { class: 'goal-list' });
  const path = `/v1/sites/${encodeURIComponent(context.site)}/goals`;
  const load = async (): Promise<void> => {
    const { goals } = await call<Goals>(path, { admin: true, signal: context.signal });
    fill(
      list,
      goals.map((goal) => line(context, path, goal)),
    );
  };
  load().catch(() => undefined);
  return h(
    'section',
    { class: 'panel wide goal-admin', 'aria-label': 'Set goals' },
    h('header', { class: 'panel-head' }, h('h2', null, 'Set goals')),
    adding(context, path),
    list,
  );
}

function adding(context: Context, path: string): HTMLElement {
  const filter = whole(context.filters);
  if (!filter)
    return h(
      'p',
      { class: 'panel-note' },
      'Filter to what counts as reached (a page, a feature, a custom event): it becomes the goal.',
    );
  const name = input(
    { name: 'name', label: 'Name', hint: ['Reached by: ', words(filter)] },
    { required: true, maxlength: MAX_NAME },
  );
  return form({
    label: 'A new goal',
    fields: [name],
    verb: 'Save as a goal',
    run: async () => {
      const body = { name: name.control.value.trim(), filter };
      const goal = await call<Goal>(path, { admin: true, body, signal: context.signal });
      forget();
      go({ goal: goal.goalId, filters: undefined });
      return null;
    },
  });
}

function line(context: Context, path: string, goal: Goal): HTMLElement {
  const remove = h('button', { type: 'button', class: 'button small danger' }, 'Remove');
  remove.addEventListener('click', () => {
    void ask({
      title: `Remove the goal ${goal.name}?`,
      text: h('p', null, 'No event goes; the goal is no longer counted.'),
      verb: 'Remove',
      signal: context.signal,
      run: async () => {
        await call(`${path}/${encodeURIComponent(goal.goalId)}`, {
          method: 'DELETE',
          admin: true,
          signal: context.signal,
        });
        forget();
      },
    }).then((done) => done && go({ goal: undefined }));
  });
  return h(
    'p',
    { class: 'goal-line' },
    h('b', null, goal.name),
    h('span', { class: 'soft' }, words(goal.filter)),
    h('a', { href: href(filterChange(partsOf(goal.filter))) }, 'Filter to it'),
    remove,
  );
}
