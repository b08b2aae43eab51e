// What the stacks allow: the worker's user the calls that the sinks make, and nobody anything on everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readText } from '../../dev/base/project.mjs';

const TEMPLATES = ['deploy/aws/shoreline-lake.yaml', 'deploy/aws/shoreline-ingest.yaml'];

/**
 * The statements of a template that allow something, as far as these tests need them: the template's resource, actions,
 * and all lines.
 * @param {string} path
 */
function allowed(path) {
  const found = [];
  for (const resource of readText(path)
    .split(/^ {2}(?=[A-Z][A-Za-z0-9]*:\n)/m)
    .slice(1)) {
    const name = resource.slice(0, resource.indexOf(':'));
    // A statement begins with a dash at its first field, and lasts as long as lines are further in.
    for (const [text, indent] of resource.matchAll(/^( +)- (?:Sid: \w+\n +)?Effect: Allow\n(?:\1 {2}.*\n)*/gm)) {
      const actions = /Action: (?:\[([^\]]*)\]|(\S+))/.exec(text);
      found.push({ name, indent, text, actions: (actions?.[1] ?? actions?.[2] ?? '').split(/,\s*/) });
    }
  }
  return found;
}

test("the worker's user may make the calls of the sinks, and no other", () => {
  const of = allowed('deploy/aws/shoreline-lake.yaml').filter(({ name }) => name.endsWith('SinkPolicy'));
  assert.deepEqual(
    of.flatMap(({ actions }) => actions),
    ['s3:PutObject', 's3:GetObject', 'firehose:PutRecordBatch', 'events:PutEvents', 'sqs:SendMessage'],
  );
  // Nobody who has its key writes over an object of the lake, or reads what is not the lake's.
  const [put, get] = of;
  assert.match(put?.text ?? '', /'Null': \{ s3:if-none-match: 'false' \}/);
  for (const statement of [put, get])
    assert.match(statement?.text ?? '', /Resource: !Sub '\$\{Bucket\.Arn\}\/events\/\*'/);
});

test('nobody is allowed anything on everything, or everything on anything', () => {
  for (const path of TEMPLATES) {
    const statements = allowed(path);
    assert.equal(statements.length, readText(path).match(/Effect: Allow/g)?.length, `${path}: not all were read`);
    for (const { name, text, actions } of statements) {
      for (const action of actions) assert.match(action, /^[a-z0-9]+:[A-Z][A-Za-z]+$/, `${path}, ${name}`);
      assert.doesNotMatch(text, /Resource: '?\*'?\s*$/m, `${path}, ${name}`);
      assert.doesNotMatch(text, /Principal: '?\*/, `${path}, ${name}`);
      // What a service may do is named, or the service is: then for this account alone.
      assert.match(text, /Resource:|Principal: \{ Service: /, `${path}, ${name}`);
    }
  }
});
