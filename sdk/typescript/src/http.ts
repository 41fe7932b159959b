import type { Call } from "./types.js";

/** A call that got no answer. */
export interface Failure {
  readonly kind: "connect" | "broken" | "timed_out";
  readonly why: string;
}

/** An answer that is being read. */
export interface Reading {
  readonly response: Response;
  /** The next part; undefined at the end. Gives up when nothing comes for too long. */
  next(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

/** What says that a connection never was, in Node. */
const CONNECT_CODES = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** The gateway, as far as HTTP goes. */
export class Gateway {
  readonly #origin: string;
  readonly #headers: Record<string, string>;
  readonly #fetch: typeof globalThis.fetch;

  constructor(origin: string, apiKey: string | undefined, fetch: typeof globalThis.fetch) {
    this.#origin = origin;
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    this.#fetch = fetch;
  }

  /** Makes a call; ends it when nothing comes for `timeoutS`, or when `signal` says so. */
  async send(call: Call, body: Uint8Array, signal: AbortSignal): Promise<Reading> {
    const watch = new Watch(call.timeoutS, signal);
    const headers: Record<string, string> = { ...this.#headers, accept: call.accept };
    if (call.contentType !== null) headers["content-type"] = call.contentType;
    const init: RequestInit = {
      method: call.method,
      headers,
      signal: watch.signal,
      redirect: "error",
      credentials: "omit",
      cache: "no-store",
      referrerPolicy: "no-referrer",
    };
    if (call.contentType !== null) init.body = body as Uint8Array<ArrayBuffer>;
    const response = await watch.within(() => this.#fetch(this.#origin + call.path, init));
    const reader = response.body?.getReader();
    return {
      response,
      next: async () => (await watch.within(async () => reader?.read()))?.value,
      cancel: () => {
        watch.end();
        reader?.cancel().catch(() => undefined);
      },
    };
  }
}

/** Ends a call that makes no progress. */
class Watch {
  readonly #limit: AbortController = new AbortController();
  readonly signal: AbortSignal;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly timeoutS: number,
    user: AbortSignal,
  ) {
    this.signal = AbortSignal.any([this.#limit.signal, user]);
  }

  async within<T>(work: () => Promise<T>): Promise<T> {
    const timedOut = new DOMException(`nothing came for ${this.timeoutS} s`, "TimeoutError");
    this.#timer = setTimeout(() => this.#limit.abort(timedOut), this.timeoutS * 1000);
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Reads a body whole, but stops as soon as there are more bytes than this. */
export async function readWhole(reading: Reading, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reading.next(); part !== undefined && length <= maxBytes; part = await reading.next()) {
    parts.push(part);
    length += part.length;
  }
  reading.cancel();
  return join(parts);
}

/** One array of all parts. */
export function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What a rejected fetch says. Browsers do not tell why; Node gives a cause with a code. */
export function failureOf(error: unknown): Failure {
  const why = causes(error);
  if (error instanceof DOMException && error.name === "TimeoutError") return { kind: "timed_out", why };
  const isConnect = codes(error).some((code) => CONNECT_CODES.has(code));
  return { kind: isConnect ? "connect" : "broken", why };
}

function causes(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${causes(error.cause)}`;
}

function codes(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const own = (error as NodeJS.ErrnoException).code;
  const several = error instanceof AggregateError ? error.errors.flatMap(codes) : [];
  return [...(typeof own === "string" ? [own] : []), ...several, ...codes(error.cause)];
}

/** `https://HOST[:PORT]`, or `http://` to loopback only; undefined if it is none. */
export function origin(gateway: string): string | undefined {
  let url: URL;
  try {
    url = new URL(gateway);
  } catch {
    return undefined;
  }
  const plain = url.pathname === "/" && !url.search && !url.hash && !url.username && !url.password;
  const allowed = url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
  return plain && allowed ? url.origin : undefined;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
