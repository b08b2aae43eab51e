// The CloudEvents SDK in its three modes. Arguments: the collector's URL, a source key, and the mode.
import { CloudEvent, HTTP, Mode, emitterFor, httpTransport } from 'cloudevents';

const [url, key, mode] = process.argv.slice(2);
const authorization = `Bearer ${key}`;
const source = '/shops/1';
const events = [
  new CloudEvent({
    id: `${mode}-1`,
    source,
    type: 'com.example.order.v1',
    subject: 'order 1',
    time: new Date().toISOString(),
    userid: 'user-1',
    data: { total: 12.5, note: 'crème brûlée' },
  }),
  new CloudEvent({ id: `${mode}-2`, source, type: 'com.example.note.v1', data: 'only text' }),
  new CloudEvent({
    id: `${mode}-3`,
    source,
    type: 'com.example.bytes.v1',
    datacontenttype: 'application/octet-stream',
    data: new Uint8Array([0, 255, 16]),
  }),
];
const answers = [];
const post = async (message) => {
  const headers = { ...message.headers, authorization };
  const answer = await fetch(`${url}/v1/ingest`, { method: 'POST', headers, body: message.body });
  answers.push({ status: answer.status, ...(await answer.json()) });
};
const send = async () => {
  if (mode === 'batch') {
    // The SDK reads batches and leaves writing them to JSON.
    await post({ headers: { 'content-type': 'application/cloudevents-batch+json' }, body: JSON.stringify(events) });
    return;
  }
  for (const event of events) await post(mode === 'binary' ? HTTP.binary(event) : HTTP.structured(event));
};
await send();
// Delivered at least once: again.
await send();
if (mode !== 'batch') {
  // And by the SDK's own transport.
  const emit = emitterFor(httpTransport(`${url}/v1/ingest`), {
    binding: HTTP,
    mode: mode === 'binary' ? Mode.BINARY : Mode.STRUCTURED,
  });
  await emit(events[0], { headers: { authorization } });
}
console.log(JSON.stringify(answers));
