/** The gateway's routes, the evidence bundle and what it binds, signed objects, sealed headers (docs/protocol.md sections 1 to 8). */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { decode as decodeCbor, encode as encodeCbor, rfc8949EncodeOptions } from 'cborg';
import * as bhttp from './bhttp.mjs';
import * as hashing from './hashing.mjs';
import * as ohttp from './ohttp.mjs';

const KEYS_TYPE = 'application/vnd.narthex.keys+cbor';
const RECEIPT_TYPE = 'application/vnd.narthex.receipt+cbor';
const REPORT_DATA_OF_SNP = 0x50;

/** Deterministic CBOR with maps as `Map`; throws at any other encoding. */
export function cbor(bytes) {
  const value = decodeCbor(bytes, { useMaps: true, strict: true, allowIndefinite: false, rejectDuplicateMapKeys: true });
  if (!Buffer.from(encodeCbor(value, rfc8949EncodeOptions)).equals(bytes)) throw new Error('cbor: not deterministic');
  return value;
}

/** The payload of a COSE_Sign1 of one media type by a raw Ed25519 key; throws if it is not. */
export function openSigned(type, bytes, identity) {
  const [protectedHeader, , payload, signature] = cbor(bytes);
  const expected = encodeCbor(new Map([[1, -8], [3, type]]), rfc8949EncodeOptions);
  if (!Buffer.from(protectedHeader).equals(expected)) throw new Error('cose: protected header');
  const signed = encodeCbor(['Signature1', protectedHeader, new Uint8Array(), payload]);
  if (!verify(null, signed, ed25519(identity), signature)) throw new Error('cose: signature');
  return cbor(Buffer.from(payload));
}

/** A public key from its 32 bytes. */
export function ed25519(raw) {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') };
  return createPublicKey({ key: jwk, format: 'jwk' });
}

/** What a bundle binds under `nonce`; its vendor's signatures are not this client's matter. */
export function readBundle(bytes, nonce) {
  const bundle = new Map([...cbor(bytes)].map(([name, [, record]]) => [name, Buffer.from(record)]));
  const [freshness, identity, manifest] = ['freshness', 'identity', 'manifest'].map((name) => bundle.get(name));
  if (!hashing.treeHead(nonce, cbor(bundle.get('nonce-path')))?.equals(freshness)) throw new Error('bundle: nonce');
  const devices = bundle.has('devices') ? cbor(bundle.get('devices')) : [];
  const reportData = hashing.reportData(freshness, identity, manifest, devices);
  const reported = bundle.get('cpu').subarray(REPORT_DATA_OF_SNP, REPORT_DATA_OF_SNP + 64);
  if (!reported.equals(reportData)) throw new Error('bundle: report data');
  const binding = hashing.labelled('narthex/1/binding-id', reportData);
  const manifestHash = hashing.labelled('narthex/1/manifest', manifest);
  return { identity, manifestHash, binding, keys: bundle.get('keys') };
}

/** A key list's fields, if the bundle's identity signed it for the bundle's manifest and it is valid now. */
export function readKeys(bytes, { identity, manifestHash }, now = Date.now() / 1000) {
  const keys = openSigned(KEYS_TYPE, bytes, identity);
  const same = (field, digest) => Buffer.from(keys.get(field)).equals(digest);
  if (!same('identity', hashing.labelled('narthex/1/identity', identity))) throw new Error('keys: identity');
  if (!same('manifest', manifestHash)) throw new Error('keys: manifest');
  if (now < keys.get('nbf') || now >= keys.get('exp')) throw new Error('keys: window');
  return keys;
}

/** One node of a gateway, with the evidence and the keys that it has shown. */
export class Node {
  static async admit(url, apiKey) {
    const node = new Node();
    node.url = url;
    node.authorization = `Bearer ${apiKey}`;
    const { offers } = await (await node.fetch('/narthex/v1/offers')).json();
    [node.offer] = offers;
    const nonce = randomBytes(32);
    const answer = await node.post(node.offer.challenge, 'application/octet-stream', nonce);
    node.evidence = readBundle(Buffer.from(await answer.arrayBuffer()), nonce);
    node.keys = readKeys(node.evidence.keys, node.evidence);
    return node;
  }

  fetch(path, init = {}) {
    const headers = { authorization: this.authorization, ...init.headers };
    return fetch(this.url + path, { ...init, headers });
  }

  post(path, type, body) {
    return this.fetch(path, { method: 'POST', headers: { 'content-type': type }, body });
  }

  configs() {
    return ohttp.parseKeys(Buffer.from(this.keys.get('configs')));
  }

  /** A request as its bytes go into the seal; `changed` fields replace those that this node demands. */
  message(method, path, model, json, changed = {}) {
    const body = Buffer.from(json === undefined ? '' : JSON.stringify(json));
    const hex = (name) => Buffer.from(this.keys.get(name)).toString('hex');
    const fields = {
      'narthex-binding': this.evidence.binding.toString('hex'),
      'narthex-policy-version': String(this.keys.get('policy-version')),
      'narthex-policy-digest': hex('policy-digest'),
      'narthex-client-policy': '00'.repeat(32),
      'narthex-request-id': randomBytes(16).toString('hex'),
      'narthex-issued-at': String(Math.floor(Date.now() / 1000)),
      'narthex-node': this.keys.get('node'),
      ...(model && { 'narthex-model': model }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...changed,
    };
    const request = { method, scheme: 'https', authority: 'narthex', path, fields: Object.entries(fields), body };
    return { ...request, bytes: bhttp.encodeRequest(request) };
  }

  relay(form, envelope) {
    return this.post(this.offer.relay, ohttp.FORMS[form].request, envelope);
  }

  /** The receipt in an opened answer, if it is signed and about this request and this answer. */
  checkReceipt(request, opening, { control, body, trailers }) {
    const [[name, text], ...more] = trailers;
    if (name !== 'narthex-receipt' || more.length > 0) throw new Error('receipt: absent');
    const receipt = openSigned(RECEIPT_TYPE, Buffer.from(text, 'base64url'), this.evidence.identity);
    const fields = [Buffer.from(request.method), Buffer.from(request.path), hashing.sha256(request.body)];
    const digests = {
      request: hashing.keyed(opening, 'narthex/1/request', ...fields),
      response: hashing.keyed(opening, 'narthex/1/response', hashing.u64(control), hashing.sha256(body)),
      binding: this.evidence.binding,
    };
    for (const [field, digest] of Object.entries(digests)) {
      if (!Buffer.from(receipt.get(field)).equals(digest)) throw new Error(`receipt: ${field}`);
    }
    if (receipt.get('status') !== control) throw new Error('receipt: status');
    return receipt;
  }
}
