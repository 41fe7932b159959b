/** Binary HTTP (RFC 9292): writes requests in the known-length form, reads responses in both forms. */

/** An integer of RFC 9000 section 16 in its shortest form. */
export function varint(value) {
  if (value < 0x40) return Buffer.from([value]);
  const bytes = Buffer.alloc(value < 0x4000 ? 2 : 4);
  if (bytes.length === 2) bytes.writeUInt16BE(value | 0x4000);
  else bytes.writeUInt32BE((value | 0x80000000) >>> 0);
  return bytes;
}

const sized = (text) => {
  const bytes = Buffer.from(text);
  return Buffer.concat([varint(bytes.length), bytes]);
};

/** A request; `fields` are `[name, value]` in lower case. */
export function encodeRequest({ method, scheme, authority, path, fields, body }) {
  const lines = Buffer.concat(fields.flat().map(sized));
  const control = [method, scheme, authority, path].map(sized);
  return Buffer.concat([varint(0), ...control, varint(lines.length), lines, varint(body.length), body, varint(0)]);
}

/** A message: `{control, fields, body, trailers}`, where `control` is the status or four strings; throws if it is none. */
export function decode(message) {
  const reader = new Reader(message);
  const framing = reader.integer();
  if (framing > 3) throw new Error('bhttp: framing');
  const known = framing < 2;
  const control = framing % 2 === 1 ? finalStatus(reader, known) : [0, 1, 2, 3].map(() => reader.string().toString());
  const fields = reader.section(known);
  const body = known ? reader.content() : reader.parts();
  const trailers = reader.section(known);
  if (reader.rest().some((byte) => byte !== 0)) throw new Error('bhttp: padding');
  return { control, fields, body, trailers };
}

function finalStatus(reader, known) {
  const status = reader.integer();
  if (status >= 200) return status;
  reader.section(known);
  return finalStatus(reader, known);
}

/** Reads from the front; what a message leaves out at its end is empty (section 3.8). */
class Reader {
  #bytes;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  rest() {
    return this.#bytes;
  }

  take(length) {
    if (length > this.#bytes.length) throw new Error('bhttp: truncated');
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  integer() {
    const [first] = this.take(1);
    return this.take((1 << (first >> 6)) - 1).reduce((value, byte) => value * 256 + byte, first & 0x3f);
  }

  string() {
    return this.take(this.integer());
  }

  section(known) {
    if (this.#bytes.length === 0) return [];
    return known ? new Reader(this.string()).lines() : this.terminated();
  }

  lines() {
    const lines = [];
    while (this.#bytes.length > 0) lines.push(this.line(this.string()));
    return lines;
  }

  terminated() {
    const lines = [];
    for (let name = this.string(); name.length > 0; name = this.string()) lines.push(this.line(name));
    return lines;
  }

  line(name) {
    return [name.toString(), this.string().toString()];
  }

  content() {
    return this.#bytes.length === 0 ? this.#bytes : this.string();
  }

  parts() {
    const parts = [];
    if (this.#bytes.length === 0) return this.#bytes;
    for (let length = this.integer(); length > 0; length = this.integer()) parts.push(this.take(length));
    return Buffer.concat(parts);
  }
}
