/**
 * Runs the vectors of protocol/testdata that concern a client: one line per file, exit 0 if all held.
 *
 * usage: node vectors.mjs TESTDATA
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { verify } from 'node:crypto';
import { XWing } from '@noble/post-quantum/hybrid.js';
import { decode } from './bhttp.mjs';
import * as hashing from './hashing.mjs';
import { ed25519, openSigned, readKeys } from './narthex.mjs';
import * as ohttp from './ohttp.mjs';

const [testdata] = process.argv.slice(2);
const bytes = (hex) => Buffer.from(hex, 'hex');
const joined = (chunks) => Buffer.concat(chunks.map((chunk) => Buffer.from(chunk)));

/** Runs each case of a file; `refuses` are the codes that are this client's to tell. */
function file(name, run, refuses = []) {
  const { cases, ...head } = JSON.parse(readFileSync(`${testdata}/${name}.json`));
  return { head, cases: cases.map((own) => ({ ...head, ...own })), name, run, refuses };
}

async function runFile({ name, head, cases, run, refuses, given }) {
  let count = 0;
  await given?.(head);
  for (const one of cases) {
    const isAccepted = (one.expect ?? 'accept') === 'accept';
    if (!isAccepted && !refuses.includes(one.expect)) continue;
    count += 1;
    await (isAccepted ? run(one, head) : assert.rejects(async () => run(one, head), undefined, one.title));
  }
  assert.ok(count > 5, `${name}: ${count} cases`);
  console.log(`ok   ${name}: ${count} cases`);
}

const HASHES = {
  identity: (one) => hashing.labelled('narthex/1/identity', bytes(one.identity)),
  manifest: (one) => hashing.labelled('narthex/1/manifest', bytes(one.manifest)),
  device: (one) => hashing.labelled('narthex/1/device', bytes(one.report), ...one.certificates.map(bytes)),
  'gpu-nonce': (one) => hashing.labelled('narthex/1/gpu-nonce', bytes(one.freshness), HASHES.identity(one), HASHES.manifest(one)),
  'report-data': (one) => {
    const devices = one.devices.map(({ report, certificates }) => [bytes(report), certificates.map(bytes)]);
    const reportData = hashing.reportData(bytes(one.freshness), bytes(one.identity), bytes(one.manifest), devices);
    assert.equal(hashing.labelled('narthex/1/binding-id', reportData).toString('hex'), one.binding);
    return reportData;
  },
  'policy-root': (one) => hashing.labelled('narthex/1/policy-root', hashing.u64(one.threshold), ...[...one.keys].sort().map(bytes)),
  'policy-digest': (one) => hashing.sha256(bytes(one.document)),
  freshness: ({ nonces, paths }) => {
    const heads = nonces.map((nonce, index) => hashing.treeHead(bytes(nonce), [index, nonces.length, paths[index].map(bytes)]));
    assert.equal(new Set(heads.map((head) => head.toString('hex'))).size, 1);
    return heads[0];
  },
};

const hash = (one) => assert.equal(HASHES[one.of](one).toString('hex'), one.output, one.title);

/** The manifest enters a key list by its hash, which is what a vector gives. */
function keyList(one) {
  const keys = readKeys(bytes(one.signed), { identity: bytes(one.identity), manifestHash: bytes(one.manifest) }, one.at);
  assert.equal(ohttp.parseKeys(Buffer.from(keys.get('configs')))[0].header.readUInt16BE(1), one.preferred, one.title);
}

function message(one) {
  const { control, fields, body, trailers } = decode(bytes(one.message));
  assert.deepEqual({ control, fields, trailers }, { control: one.control, fields: one.fields, trailers: one.trailers }, one.title);
  assert.equal(body.toString('hex'), one.body);
}

/** What a runtime sees, by the same packages as a client's. */
async function request(one) {
  const envelope = bytes(one.envelope);
  const { private: key } = one.recipients.find(({ kem }) => kem === envelope.readUInt16BE(1));
  const texts = await ohttp.openEnvelope(one.form, bytes(key), envelope);
  const { body } = decode(joined(texts));
  if (one.expect === 'accept') assert.equal(body.toString('hex'), one.body, one.title);
}

/** X-Wing's encapsulation is made again from its ephemeral seed. */
function encapsulation({ recipients }) {
  const { public: key, ephemeral, enc } = recipients.find(({ kem }) => kem === 0x647a);
  const made = XWing.encapsulate(bytes(key), Uint8Array.from(bytes(ephemeral)));
  assert.equal(Buffer.from(made.cipherText).toString('hex'), enc);
}

function response(one) {
  const { aead } = ohttp.suiteOf(Buffer.from([0, 0, 0x20, 0, 1, 0, one.aead]));
  const answer = { aead, secret: bytes(one.secret), enc: bytes(one.enc), form: one.form };
  const { control, body, trailers } = decode(joined(ohttp.openAnswer(answer, bytes(one.answer))));
  assert.deepEqual([control, body.toString('hex'), trailers], [one.status, one.body, one.trailers], one.title);
}

function receipt(one) {
  const fields = openSigned('application/vnd.narthex.receipt+cbor', bytes(one.signed), bytes(one.identity));
  const { exchange } = one;
  const asked = [Buffer.from(exchange.method), Buffer.from(exchange.path), hashing.sha256(bytes(exchange['request-body']))];
  const answered = [hashing.u64(exchange.status), hashing.sha256(bytes(exchange['response-body']))];
  const tokens = Buffer.concat(exchange.tokens.map((id) => Buffer.from(Uint32Array.of(id).buffer)));
  const digests = {
    request: hashing.keyed(bytes(one.opening), 'narthex/1/request', ...asked),
    response: hashing.keyed(bytes(one.opening), 'narthex/1/response', ...answered),
    tokens: hashing.keyed(bytes(one.opening), 'narthex/1/tokens', tokens),
  };
  for (const [name, digest] of Object.entries(digests)) assert.ok(Buffer.from(fields.get(name)).equals(digest), one.title);
  assert.equal(fields.get('status'), exchange.status);
}

function tenant(one) {
  const fields = [bytes(one['request-id']), bytes(one.binding), Buffer.from(one.method), Buffer.from(one.path), hashing.sha256(bytes(one.body))];
  const statement = hashing.encode('narthex/1/tenant', ...fields);
  assert.equal(statement.toString('hex'), one.statement);
  const credential = Buffer.from(one['narthex-tenant'], 'base64url');
  const isSigned = verify(null, statement, ed25519(credential.subarray(0, 32)), credential.subarray(32));
  if (!isSigned) throw new Error('tenant: signature');
}

const SEALED = ['truncated', 'authentication', 'chunk_too_large', 'header'];
const of = (kind) => SEALED.map((code) => `${kind}.${code}`);
await runFile(file('hashing', hash));
await runFile(file('key-list', keyList, ['keys.signature', 'keys.not_attested', 'keys.expired', 'keys.not_yet_valid']));
await runFile(file('bhttp', message, ['bhttp.framing', 'bhttp.truncated', 'bhttp.padding']));
await runFile({ ...file('request', request, of('request')), given: encapsulation });
await runFile(file('response', response, [...of('response'), 'response.bhttp', 'response.after_end']));
await runFile(file('receipt', receipt, ['receipt.signature', 'receipt.mismatch']));
await runFile(file('tenant', tenant, ['sealed_header.mismatch']));
console.log('all vectors held');
