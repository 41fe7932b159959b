/** Hashes of docs/protocol.md, section 1, on node:crypto. */
import { createHash, createHmac } from 'node:crypto';

/** `len(label) || label || len(f1) || f1 ..`, every length a big-endian u64. */
export function encode(label, ...fields) {
  return Buffer.concat([Buffer.from(label), ...fields].flatMap((part) => [u64(part.length), part]));
}

export function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();

/** SHA-256 of a label and its fields. */
export const labelled = (label, ...fields) => sha256(encode(label, ...fields));

/** HMAC-SHA256 of a label and its fields. */
export const keyed = (secret, label, ...fields) => createHmac('sha256', secret).update(encode(label, ...fields)).digest();

/** REPORT_DATA, 64 bytes; `devices` are `[report, [certificate ..]]` in the bundle's order. */
export function reportData(freshness, identity, manifest, devices) {
  const named = devices.map(([report, certificates]) => labelled('narthex/1/device', report, ...certificates));
  const fields = [freshness, labelled('narthex/1/identity', identity), labelled('narthex/1/manifest', manifest), ...named];
  return createHash('sha512').update(encode('narthex/1/report-data', ...fields)).digest();
}

/** The head of the tree in which `nonce` is the leaf at `index` of `size` (RFC 9162 section 2.1.3.2), or null. */
export function treeHead(nonce, [index, size, siblings]) {
  let [at, last, hash] = [index, size - 1, sha256(Buffer.from([0]), nonce)];
  if (index >= size) return null;
  for (const sibling of siblings) {
    if (last === 0) return null;
    const isRight = at % 2 === 1 || at === last;
    hash = isRight ? sha256(Buffer.from([1]), sibling, hash) : sha256(Buffer.from([1]), hash, sibling);
    while (isRight && at % 2 === 0 && at !== 0) [at, last] = [at >>> 1, last >>> 1];
    [at, last] = [at >>> 1, last >>> 1];
  }
  return last === 0 ? hash : null;
}
