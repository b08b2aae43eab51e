// What Prometheus and Grafana ask is what /metrics tells, and each alert has its page.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { at, readText } from '../../dev/base/project.mjs';
import { installPromtool } from '../../dev/setup/promtool.mjs';

const RULES = 'deploy/prometheus/alerts.yaml';

/** The families that the worker writes. */
function families() {
  const folder = 'worker/src/read/prometheus';
  const files = readdirSync(at(folder)).filter((name) => name.endsWith('.rs') && name !== 'tests.rs');
  const sources = ['worker/src/read/prometheus.rs', ...files.map((name) => `${folder}/${name}`)].map(readText);
  return new Set(sources.join('\n').match(/(?<=")shoreline_[a-z_]+(?=")/g));
}

/** The names in an expression, a histogram's by its family. @param {string} text */
const asked = (text) => (text.match(/shoreline_[a-z_]+/g) ?? []).map((name) => name.replace(/_bucket$/, ''));

/** The alerts, as far as these tests need them. */
function alerts() {
  const each = readText(RULES)
    .split(/^ {6}- alert: /m)
    .slice(1);
  return each.map((text) => {
    const name = text.split('\n', 1)[0];
    const expr = /^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/m.exec(text);
    const runbook = /^ {10}runbook: (.*)$/m.exec(text)?.[1];
    return { name, expr: expr?.[1] ?? expr?.[2] ?? '', runbook, hasSummary: /^ {10}summary: \S/m.test(text) };
  });
}

test('each alert asks for families that there are, and has a page of the runbook', () => {
  const known = families();
  assert.ok(known.size > 15, `${known.size} families`);
  assert.ok(alerts().length >= 12);
  const pages = new Set(
    [...readText('docs/RUNBOOK.md').matchAll(/^## (.*)$/gm)].map(([, title]) =>
      title
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
  for (const { name, expr, runbook, hasSummary } of alerts()) {
    assert.ok(hasSummary, name);
    const names = asked(expr);
    assert.ok(names.length > 0 || expr.includes('up{'), `${name} asks nothing`);
    for (const family of names) assert.ok(known.has(family), `${name}: ${family} is no family`);
    assert.ok(pages.has(runbook?.split('#')[1] ?? ''), `${name}: ${runbook} is no page`);
  }
});

test('the dashboard asks for families that there are', () => {
  const { panels } = JSON.parse(readText('deploy/prometheus/grafana.json'));
  const known = families();
  const places = new Set(panels.map((/** @type {any} */ { gridPos }) => `${gridPos.x},${gridPos.y}`));
  assert.equal(places.size, panels.length, 'panels lie on each other');
  for (const { title, targets } of panels)
    for (const { expr } of targets) {
      const names = asked(expr);
      assert.ok(names.length > 0, title);
      for (const family of names) assert.ok(known.has(family), `${title}: ${family} is no family`);
    }
});

test('promtool takes the rules, and they fire when they should', async (t) => {
  const promtool = await installPromtool();
  if (promtool === undefined) return t.skip('promtool is not installed, and apt does not bring it');
  for (const args of [
    ['check', 'rules', at(RULES)],
    ['test', 'rules', at('deploy/prometheus/tests/alerts.test.yaml')],
  ]) {
    /** @type {import('node:child_process').SpawnSyncReturns<string>} */
    const ended = spawnSync(promtool, args, { encoding: 'utf8' });
    assert.equal(ended.status, 0, `${ended.stdout}${ended.stderr}`);
  }
});
