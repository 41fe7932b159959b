import { NarthexError, RequestMistake } from "./errors.js";

/** An answer of the module: JSON, and the bytes that it speaks of. */
export interface Answer<T> {
  readonly told: T;
  readonly bytes: Uint8Array;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  narthex_alloc(length: number): number;
  narthex_free(address: number, length: number): void;
  narthex_answer(address: number, length: number): bigint;
}

interface Fault {
  readonly error?: { code: string; message: string; retryable: boolean; status: number | null; body: string | null };
}

/** The verifier and the seal, as WebAssembly. It does no I/O; its one import is randomness. */
export class Module {
  readonly #exports: Exports;

  private constructor(readonly instance: WebAssembly.Instance) {
    this.#exports = instance.exports as unknown as Exports;
  }

  /** Instantiates the module: the one of this package, or these bytes of it. */
  static async load(source?: BufferSource): Promise<Module> {
    let memory: WebAssembly.Memory | undefined;
    const random = (address: number, length: number): number => {
      if (memory === undefined) return 0;
      // getRandomValues takes 65536 bytes at most; what is asked for is below 100.
      crypto.getRandomValues(new Uint8Array(memory.buffer, address, length));
      return 1;
    };
    const bytes = source ?? (await read(new URL("./narthex.wasm", import.meta.url)));
    const { instance } = await WebAssembly.instantiate(bytes, { narthex: { random } });
    memory = instance.exports["memory"] as WebAssembly.Memory;
    return new Module(instance);
  }

  /** Gives an order; an error is thrown. */
  ask<T>(order: Record<string, unknown>, bytes: Uint8Array = new Uint8Array()): Answer<T> {
    const answer = this.#exchange(frame(JSON.stringify(order), bytes));
    const length = new DataView(answer.buffer).getUint32(0, true);
    const told = JSON.parse(new TextDecoder().decode(answer.subarray(4, 4 + length))) as T & Fault;
    if (told.error !== undefined) throw thrown(told.error);
    return { told, bytes: answer.subarray(4 + length) };
  }

  /** The answer is a copy: the module's own is wiped. */
  #exchange(order: Uint8Array): Uint8Array<ArrayBuffer> {
    const module = this.#exports;
    const address = module.narthex_alloc(order.length) >>> 0;
    new Uint8Array(module.memory.buffer, address, order.length).set(order);
    const said = BigInt.asUintN(64, module.narthex_answer(address, order.length));
    module.narthex_free(address, order.length);
    const [from, length] = [Number(said >> 32n), Number(said & 0xffff_ffffn)];
    const answer = new Uint8Array(module.memory.buffer, from, length).slice();
    module.narthex_free(from, length);
    return answer;
  }
}

function frame(json: string, bytes: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(json);
  const order = new Uint8Array(4 + text.length + bytes.length);
  new DataView(order.buffer).setUint32(0, text.length, true);
  order.set(text, 4);
  order.set(bytes, 4 + text.length);
  return order;
}

function thrown(error: NonNullable<Fault["error"]>): NarthexError {
  if (error.status !== null && error.body !== null) {
    return new RequestMistake(error.code, error.message, error.status, error.body);
  }
  return new NarthexError(error.code, error.message, error.retryable);
}

/** In Node the module is a file, which its fetch does not read. */
async function read(url: URL): Promise<BufferSource> {
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return readFile(url);
  }
  return (await fetch(url)).arrayBuffer();
}
