/**
 * A stock OHTTP client, made of npm packages, against a Narthex gateway: one line per check, exit 0 if all of them held.
 *
 * usage: node peer.mjs GATEWAY MODEL chunked|one-shot    with NARTHEX_API_KEY, and the gateway's certificate in NODE_EXTRA_CA_CERTS
 */
import assert from 'node:assert/strict';
import { varint, decode } from './bhttp.mjs';
import { Node, readKeys } from './narthex.mjs';
import { AnswerOpener, FORMS, frames, openAnswer, seal } from './ohttp.mjs';

const [url, model, form] = process.argv.slice(2);
const question = {
  model,
  messages: [{ role: 'user', content: 'What is the capital of France? Answer in one sentence.' }],
  max_tokens: 24,
  temperature: 0,
};
let failed = 0;

async function check(name, run) {
  try {
    await run();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.stack}`);
  }
}

/** One exchange in one form under one configuration. */
class Channel {
  constructor(node, form, config) {
    Object.assign(this, { node, form, config, name: `${config.name} ${form}` });
  }

  check(name, run) {
    return check(`${this.name}: ${name}`, run);
  }

  chat(extra = {}, changed = {}) {
    return this.node.message('POST', '/v1/chat/completions', model, { ...question, ...extra }, changed);
  }

  /** Sends a request and reads the sealed answer to its end; `pieces` are the bytes as they came. */
  async send(request) {
    const sealed = await seal(this.form, this.config, request.bytes);
    const answer = await this.node.relay(this.form, sealed.envelope);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), FORMS[this.form].response);
    const pieces = [];
    for await (const piece of answer.body) pieces.push(Buffer.from(piece));
    return { ...sealed, pieces, bytes: Buffer.concat(pieces) };
  }

  /** A whole exchange: the inner response, with its receipt checked. */
  async ask(request) {
    const { answer, opening, pieces } = await this.send(request);
    const opener = new AnswerOpener(answer);
    const texts = [...pieces.flatMap((piece) => opener.push(piece)), opener.finish()];
    const response = decode(Buffer.concat(texts));
    // R7.2, R7.5
    this.node.checkReceipt(request, opening, response);
    return { ...response, chunks: texts.length };
  }

  async refused(envelope, code, type = FORMS[this.form].request) {
    const answer = await this.node.post(this.node.offer.relay, type, envelope);
    assert.ok(answer.status >= 400 && answer.status < 500, `status ${answer.status}`);
    assert.equal((await answer.json()).code, code);
  }
}

/** The text of a chat that was streamed as server-sent events; throws if it has no end. */
function streamed(body) {
  const events = body.toString().split('\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
  assert.equal(events.pop(), '[DONE]');
  return events.map((event) => JSON.parse(event).choices[0]?.delta.content ?? '').join('');
}

async function exchanges(channel) {
  let whole;
  // R1.1, R6.3, R6.10: what is hashed and sent in the known-length form here is right there; every answer has its receipt.
  await channel.check('GET /v1/models', async () => {
    const response = await channel.ask(channel.node.message('GET', '/v1/models'));
    assert.equal(response.control, 200);
    assert.deepEqual(JSON.parse(response.body).data.map((entry) => entry.id), [model]);
  });
  await channel.check('chat, whole, with its receipt', async () => {
    const response = await channel.ask(channel.chat());
    whole = JSON.parse(response.body).choices[0].message.content;
    assert.match(whole, /Paris/);
  });
  await channel.check('chat, streamed, the same text', async () => {
    const response = await channel.ask(channel.chat({ stream: true }));
    assert.equal(streamed(response.body), whole);
    // The head leaves before anything is made; all the rest may come within one beat.
    if (channel.form === 'chunked') assert.ok(response.chunks >= 2, `${response.chunks} chunks`);
  });
  // R6.5, R6.6
  await channel.check('another node in the seal is an inner 421', async () => {
    const response = await channel.ask(channel.chat({}, { 'narthex-node': 'another' }));
    assert.equal(response.control, 421);
    assert.equal(JSON.parse(response.body).error.code, 'sealed_header_mismatch');
  });
}

/** Every way in which a genuine answer is spoilt is refused. */
async function answers(channel) {
  const { answer, bytes } = await channel.send(channel.chat({ stream: true, max_tokens: 6 }));
  const refused = (spoilt) => assert.throws(() => openAnswer(answer, spoilt));
  openAnswer(answer, bytes);
  // R6.11
  await channel.check('a truncated answer is refused', () => {
    for (const cut of cuts(channel.form, answer, bytes)) refused(bytes.subarray(0, cut));
  });
  await channel.check('a tampered chunk is refused', () => {
    const step = Math.max(1, Math.floor(bytes.length / 97));
    for (let at = 0; at < bytes.length; at += step) refused(flipped(bytes, at));
    refused(flipped(bytes, bytes.length - 1));
  });
  await channel.check('bytes after the end are refused', () => refused(Buffer.concat([bytes, Buffer.alloc(1)])));
  if (channel.form === 'one-shot') return;
  await channel.check('chunks out of order, doubled or left out are refused', () => {
    const start = bytes.subarray(0, answer.secret.length);
    const sealed = [...frames(bytes.subarray(start.length))].map(({ bytes, final }) => framed(bytes, final));
    const [first, second, ...rest] = sealed;
    refused(Buffer.concat([start, second, first, ...rest]));
    refused(Buffer.concat([start, first, first, second, ...rest]));
    refused(Buffer.concat([start, first, ...rest]));
  });
}

const framed = (sealed, final) => Buffer.concat([varint(final ? 0 : sealed.length), sealed]);

/** Where an answer is cut: at and around the end of every chunk, and everywhere in its last bytes. */
function cuts(form, answer, bytes) {
  const at = [0, 1, ...Array.from({ length: 40 }, (_, index) => bytes.length - 1 - index)];
  let end = answer.secret.length;
  for (const { bytes: sealed, final } of form === 'chunked' ? frames(bytes.subarray(end)) : []) {
    at.push(end, end + 1);
    end += framed(sealed, final).length;
  }
  return at.filter((cut) => cut >= 0 && cut < bytes.length);
}

function flipped(bytes, at, bit = 1) {
  const copy = Buffer.from(bytes);
  copy[at] ^= bit;
  return copy;
}

async function envelopes(channel) {
  const sealed = async () => (await seal(channel.form, channel.config, channel.chat().bytes)).envelope;
  // R6.8, R9.2
  await channel.check('a replayed envelope is refused', async () => {
    const envelope = await sealed();
    assert.equal((await channel.node.relay(channel.form, envelope)).status, 200);
    await channel.refused(envelope, 'runtime.envelope');
  });
  await channel.check('a tampered envelope is refused', async () => {
    const envelope = await sealed();
    await channel.refused(flipped(envelope, envelope.length - 1), 'runtime.envelope');
  });
  await channel.check('a truncated envelope is refused', async () => {
    await channel.refused((await sealed()).subarray(0, -1), 'runtime.envelope');
  });
  await channel.check('an unknown key id is RFC 9458\'s key problem', async () => {
    await channel.refused(flipped(await sealed(), 0, 0x80), 'runtime.key');
  });
  await channel.check('another media type is refused', async () => {
    await channel.refused(await sealed(), 'gateway.media_type', 'application/json');
  });
}

const node = await Node.admit(url, process.env.NARTHEX_API_KEY);
// R5.3
await check('the key list counts only as signed by the attested identity', () => {
  const { keys, identity } = node.evidence;
  assert.throws(() => readKeys(keys, { ...node.evidence, identity: flipped(identity, 0) }));
  for (let at = 0; at < keys.length; at += 7) assert.throws(() => readKeys(flipped(keys, at), node.evidence));
  assert.throws(() => readKeys(keys, node.evidence, node.keys.get('exp')));
});
await check('the order of preference is X-Wing, X25519', () => {
  assert.deepEqual(node.configs().map((config) => config.name), ['X-Wing', 'X25519']);
});
for (const config of node.configs()) {
  const channel = new Channel(node, form, config);
  await exchanges(channel);
  await answers(channel);
  await envelopes(channel);
}
console.log(failed === 0 ? 'all checks held' : `${failed} checks failed`);
process.exit(failed === 0 ? 0 : 1);
