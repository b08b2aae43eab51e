// Ask: a form that builds any question, shows it as JSON and as a command, and what comes of it.
import { question } from '../api';
import { h } from '../dom';
import { go } from '../place';
import type { Answer } from '../query';
import { QUERY } from '../reads';
import { copyable } from '../ui/onboarding';
import { panel } from '../ui/panel';
import { empty } from '../ui/states';
import type { View } from '../view';
import { answerOf } from './ask/answer';
import { askForm } from './ask/form';
import { type Body, askedBody, changesOf, curlOf, givenOf, jsonOf, overridden, textsOf } from './ask/question';

export const view: View = {
  show(context) {
    const given = givenOf(context.params);
    if (!given) {
      context.root.append(empty('The question in the URL is no JSON object.'));
      return;
    }
    const body = askedBody(context, given);
    const asked = question(QUERY, body);
    context.root.append(
      askForm(given),
      written(body, given),
      panel<Answer>(context, {
        title: 'Answer',
        class: 'wide last',
        lines: 16,
        csv: asked,
        load: (get) => get<Answer>(asked),
        render: (answer) =>
          answerOf(
            context,
            {
              metrics: textsOf(body['metrics']),
              dimensions: textsOf(body['dimensions']),
              isCompared: typeof body['compare'] === 'string',
            },
            answer,
          ),
      }),
    );
  },
};

/** The question as JSON, which can be written over, and as a command. */
function written(body: Body, given: Body): HTMLElement {
  const json = h('textarea', {
    id: 'ask-json',
    rows: 9,
    spellcheck: 'false',
    class: 'mono',
    'aria-label': 'The question as JSON',
  });
  json.value = jsonOf(body);
  const said = h('p', { class: 'bad', role: 'alert' });
  const form = h(
    'form',
    { 'aria-label': 'The question as JSON' },
    json,
    said,
    h('button', { type: 'submit', class: 'button', id: 'ask-written' }, 'Ask as written'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    try {
      const wanted: unknown = JSON.parse(json.value);
      if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) throw new Error('It is no object.');
      go(changesOf(wanted as Body));
    } catch (error) {
      said.textContent = `This is no JSON object: ${error instanceof Error ? error.message : ''}`;
      json.focus();
    }
  });
  const own = overridden(given);
  return h(
    'section',
    { class: 'panel ask-written', 'aria-label': 'As JSON and curl' },
    h('header', { class: 'panel-head' }, h('h2', null, 'As JSON and curl')),
    own.length > 0 &&
      h('p', { class: 'panel-note warn' }, `It says ${own.join(', ')} itself: the choice above does not count.`),
    form,
    copyable(curlOf(body), 'The question as a command'),
  );
}
