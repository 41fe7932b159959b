/**
 * Oblivious HTTP, one-shot (RFC 9458) and chunked (draft-ietf-ohai-chunked-ohttp-08): npm `hpke` with the primitives of `@panva/hpke-noble`
 * for what is sealed to a key, node:crypto for the response's AEAD.
 */
import { createDecipheriv, hkdfSync } from 'node:crypto';
import { CipherSuite } from 'hpke';
import * as noble from '@panva/hpke-noble';
import { varint } from './bhttp.mjs';

const KEMS = {
  0x0020: { name: 'X25519', make: noble.KEM_DHKEM_X25519_HKDF_SHA256, publicKey: 32, enc: 32 },
  0x647a: { name: 'X-Wing', make: noble.KEM_MLKEM768_X25519, publicKey: 1216, enc: 1120 },
};
const AEADS = {
  1: { make: noble.AEAD_AES_128_GCM, key: 16, cipher: 'aes-128-gcm' },
  2: { make: noble.AEAD_AES_256_GCM, key: 32, cipher: 'aes-256-gcm' },
};
/** What names the two forms: media types, HPKE's info, and the context of the response's secret. */
export const FORMS = {
  chunked: {
    request: 'message/ohttp-chunked-req',
    response: 'message/ohttp-chunked-res',
    info: 'message/bhttp chunked request\0',
    exported: 'message/bhttp chunked response',
  },
  'one-shot': {
    request: 'message/ohttp-req',
    response: 'message/ohttp-res',
    info: 'message/bhttp request\0',
    exported: 'message/bhttp response',
  },
};
const NONCE = 12;
const TAG = 16;
const MAX_SENT_CHUNK = 16384;
const NOTHING = Buffer.alloc(0);
const FINAL = Buffer.from('final');

/** The configurations of `application/ohttp-keys` (RFC 9458 section 3.2) that are spoken here, each with its first suite. */
export function parseKeys(list) {
  const configs = [];
  for (let at = 0; at < list.length; at += 2 + list.readUInt16BE(at)) {
    const config = list.subarray(at + 2, at + 2 + list.readUInt16BE(at));
    const kem = KEMS[config.readUInt16BE(1)];
    if (!kem) continue;
    const [key, suite] = [config.subarray(3, 3 + kem.publicKey), 3 + kem.publicKey + 2];
    const header = Buffer.concat([config.subarray(0, 3), config.subarray(suite, suite + 4)]);
    configs.push({ name: kem.name, header, key });
  }
  return configs;
}

/** The HPKE suite that an envelope's header (7 bytes: key id, KEM, KDF, AEAD) names. */
export function suiteOf(header) {
  const [kem, aead] = [KEMS[header.readUInt16BE(1)], AEADS[header.readUInt16BE(5)]];
  if (!kem || header.readUInt16BE(3) !== 1 || !aead) throw new Error('ohttp: suite');
  return { hpke: new CipherSuite(kem.make, noble.KDF_HKDF_SHA256, aead.make), kem, aead };
}

/** Seals `message` to a configuration: the envelope, and what opens the answer. */
export async function seal(form, config, message) {
  const { hpke, aead } = suiteOf(config.header);
  const key = await hpke.DeserializePublicKey(config.key);
  const info = Buffer.concat([Buffer.from(FORMS[form].info), config.header]);
  const { encapsulatedSecret, ctx } = await hpke.SetupSender(key, { info });
  const sealed = form === 'chunked' ? await sealChunks(ctx, message) : await ctx.Seal(message);
  const enc = Buffer.from(encapsulatedSecret);
  const secret = await ctx.Export(Buffer.from(FORMS[form].exported), nonceLength(aead));
  const opening = await ctx.Export(Buffer.from('narthex/1/receipt'), 32);
  return { envelope: Buffer.concat([config.header, enc, sealed]), answer: { aead, secret, enc, form }, opening };
}

async function sealChunks(context, message) {
  const chunks = [];
  for (; message.length > MAX_SENT_CHUNK; message = message.subarray(MAX_SENT_CHUNK)) {
    const sealed = await context.Seal(message.subarray(0, MAX_SENT_CHUNK));
    chunks.push(varint(sealed.length), sealed);
  }
  return Buffer.concat([...chunks, varint(0), await context.Seal(message, FINAL)]);
}

/** Opens an envelope with the private key that its header is for: the message's plaintext chunks. */
export async function openEnvelope(form, privateKey, envelope) {
  const header = envelope.subarray(0, 7);
  const { hpke, kem } = suiteOf(header);
  const [enc, sealed] = [envelope.subarray(7, 7 + kem.enc), envelope.subarray(7 + kem.enc)];
  const info = Buffer.concat([Buffer.from(FORMS[form].info), header]);
  const key = await hpke.DeserializePrivateKey(privateKey);
  const context = await hpke.SetupRecipient(key, enc, { info });
  if (form === 'one-shot') return [await context.Open(sealed)];
  const texts = [];
  for (const { bytes, final } of frames(sealed)) texts.push(await context.Open(bytes, final ? FINAL : NOTHING));
  return texts;
}

/** max(Nn, Nk). */
const nonceLength = (aead) => Math.max(NONCE, aead.key);

/** Opens an answer that has arrived whole: its plaintext chunks, the last of them authenticated as the last. */
export function openAnswer(answer, bytes) {
  const opener = new AnswerOpener(answer);
  return [...opener.push(bytes), opener.finish()];
}

/** Opens an answer as it arrives; nothing is complete before `finish`. */
export class AnswerOpener {
  #answer;
  #keys = null;
  #buffer = NOTHING;
  #counter = 0;

  constructor(answer) {
    this.#answer = answer;
  }

  /** Takes the next bytes; the plaintexts of the chunks that they complete. */
  push(bytes) {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    if (!this.#keys && !this.#derive()) return [];
    const texts = [];
    if (this.#answer.form === 'one-shot') return texts;
    for (let frame = sizedFrame(this.#buffer); frame; frame = sizedFrame(this.#buffer)) {
      texts.push(this.#open(frame.bytes, NOTHING));
      this.#buffer = frame.rest;
    }
    return texts;
  }

  /** The answer has ended: the last plaintext; throws if the answer was cut. */
  finish() {
    if (!this.#keys) throw new Error('ohttp: truncated');
    if (this.#answer.form === 'one-shot') return this.#open(this.#buffer, NOTHING);
    if (this.#buffer[0] !== 0) throw new Error('ohttp: truncated');
    return this.#open(this.#buffer.subarray(1), FINAL);
  }

  /** Key and nonce of RFC 9458 section 4.4, once the response nonce is here. */
  #derive() {
    const { aead, secret, enc } = this.#answer;
    const length = nonceLength(aead);
    if (this.#buffer.length < length) return false;
    const salt = Buffer.concat([enc, this.#buffer.subarray(0, length)]);
    const derived = (info, size) => Buffer.from(hkdfSync('sha256', secret, salt, info, size));
    this.#keys = { key: derived('key', aead.key), nonce: derived('nonce', NONCE) };
    this.#buffer = this.#buffer.subarray(length);
    return true;
  }

  #open(sealed, aad) {
    if (sealed.length < TAG) throw new Error('ohttp: truncated');
    const nonce = Buffer.from(this.#keys.nonce);
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ this.#counter++) >>> 0, 8);
    const decipher = createDecipheriv(this.#answer.aead.cipher, this.#keys.key, nonce);
    decipher.setAAD(aad).setAuthTag(sealed.subarray(-TAG));
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG)), decipher.final()]);
  }
}

/** The sealed chunks of a complete stream. */
export function* frames(bytes) {
  for (let frame = sizedFrame(bytes); frame; frame = sizedFrame(bytes)) {
    yield { bytes: frame.bytes, final: false };
    bytes = frame.rest;
  }
  if (bytes[0] !== 0) throw new Error('ohttp: truncated');
  yield { bytes: bytes.subarray(1), final: true };
}

/** The first chunk if it is complete and not the last. */
function sizedFrame(bytes) {
  const width = bytes.length > 0 ? 1 << (bytes[0] >> 6) : Infinity;
  if (bytes.length < width || bytes[0] === 0) return null;
  const length = bytes.subarray(1, width).reduce((value, byte) => value * 256 + byte, bytes[0] & 0x3f);
  const end = width + length;
  return bytes.length < end ? null : { bytes: bytes.subarray(width, end), rest: bytes.subarray(end) };
}
