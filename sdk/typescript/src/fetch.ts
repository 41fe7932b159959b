import { NarthexError, RequestMistake } from "./errors.js";
import { failureOf, Gateway, join, origin, readWhole, type Reading } from "./http.js";
import { keep, type Storage } from "./memory.js";
import { Module } from "./module.js";
import { type Call, fromHex, type Head, type Policy, type Receipt } from "./types.js";

/** Receipts kept in memory. */
const MAX_RECEIPTS = 1024;
/** Statuses whose answer has no body. */
const NO_BODY = new Set([204, 205, 304]);

/** Something worth knowing although the work goes on. */
export type Notice = { readonly admitted: Record<string, unknown> } | { readonly passedOver: string };

/** One exchange. */
export interface Exchange {
  readonly requestId: string;
  readonly node: string;
  /** Undefined until the authenticated end of the answer. */
  receipt: Receipt | undefined;
}

/** What a team publishes beside its policy, each if there is one. */
export interface Beside {
  readonly roots?: string;
  readonly inventory?: string;
  readonly orders?: string;
  readonly timestamp?: string;
}

/** What the user gives. */
export interface NarthexOptions {
  /** `https://HOST[:PORT]`. */
  readonly gateway: string;
  /** The gateway's, not OpenAI's; absent where it asks for none. */
  readonly apiKey?: string;
  /** The text of the signed policy (`narthex policy sign`). */
  readonly policy: string;
  /** The texts of what is published beside it: roots.jsonl, inventory.json, orders.jsonl, timestamp.json. */
  readonly beside?: Beside;
  /** The text of the root document that says whose documents count, instead of keys. */
  readonly policyRoot?: string;
  /** The public keys that may sign policies, PEM. */
  readonly policyKeys?: readonly string[];
  /** How many of them must have signed; all by default. */
  readonly threshold?: number;
  /** Where the highest policy versions seen are remembered: `fileStorage` of `narthex/node`, your own, or `memoryStorage()`. */
  readonly storage: Storage;
  /** Country that answers must come from (ISO 3166-1 alpha-2). */
  readonly residency?: string;
  /** 32 bytes; who names the same may share cached state, nobody by default. */
  readonly cacheSecret?: Uint8Array;
  /** Told what is admitted, and what is passed over. */
  readonly onNotice?: (notice: Notice) => void;
  /** The fetch that reaches the gateway; the platform's by default. */
  readonly fetch?: typeof globalThis.fetch;
  /** The WebAssembly module, where it is not to be loaded from beside this file. */
  readonly module?: Module;
}

/** A fetch whose every request goes sealed to a node that the user's own policy admits, or nowhere. */
export interface NarthexFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** The policy in force. */
  readonly policy: Policy;
  /** The verified receipts of complete exchanges, newest last; the last 1024 are kept. */
  readonly receipts: readonly Receipt[];
  /** The exchange that an answer of this fetch belongs to. */
  exchange(response: Response): Exchange | undefined;
}

/** Opens the policy; rejects if its signatures do not suffice or it is older than one seen before. */
export async function createNarthexFetch(options: NarthexOptions): Promise<NarthexFetch> {
  const client = await Client.open(options);
  const fetch = (input: string | URL | Request, init?: RequestInit) => client.fetch(new Request(input, init));
  return Object.assign(fetch, {
    policy: client.policy,
    receipts: client.receipts,
    exchange: (response: Response) => client.exchanges.get(response),
  });
}

interface Served {
  readonly requestId: string;
  readonly bindingId: string;
  readonly node: string;
  readonly claims: Record<string, unknown>;
  readonly admission: Record<string, unknown>;
  readonly opening: string;
  readonly signed: string;
  readonly bundle: string;
}

interface Opened {
  readonly head: Head | null;
  readonly end: Served | null;
}

interface Names {
  readonly exchange: number;
  readonly id: string;
  readonly node: string;
}

class Client {
  readonly receipts: Receipt[] = [];
  readonly exchanges = new WeakMap<Response, Exchange>();
  readonly #clock = new Clock();

  private constructor(
    readonly module: Module,
    readonly gateway: Gateway,
    readonly policy: Policy,
    private readonly session: number,
    private readonly root: string,
    private readonly options: NarthexOptions,
  ) {}

  static async open(options: NarthexOptions): Promise<Client> {
    const gateway = origin(options.gateway);
    if (gateway === undefined) {
      throw new NarthexError("gateway.url", "the gateway is https://HOST[:PORT] (http:// to loopback only), nothing more");
    }
    const { policy, beside, policyRoot, policyKeys = [], threshold, residency, cacheSecret, storage } = options;
    const cache_secret = cacheSecret && Array.from(cacheSecret);
    const now = Math.floor(Date.now() / 1000);
    const settings = { policy, beside, policy_root: policyRoot, policy_keys: policyKeys, threshold, residency, cache_secret, now };
    const module = options.module ?? (await Module.load());
    const { root } = module.ask<{ root: string }>({ do: "root", settings }).told;
    const name = `session-${root}`;
    const remembered = (await storage.load(name)) ?? undefined;
    const opened = module.ask<{ session: number; policy: Policy }>({ do: "open", settings, remembered }).told;
    await keep(module, opened.session, storage, name);
    const http = new Gateway(gateway, options.apiKey, options.fetch ?? globalThis.fetch);
    return new Client(module, http, opened.policy, opened.session, name, options);
  }

  async fetch(request: Request): Promise<Response> {
    try {
      return await this.#answer(request);
    } catch (error) {
      if (!(error instanceof RequestMistake)) throw error;
      const headers = { "content-type": "application/json", "x-should-retry": "false" };
      return new Response(error.body, { status: error.status, headers });
    }
  }

  async #answer(request: Request): Promise<Response> {
    const { names, reading } = await this.#converse(request);
    const answer = new Answer(this, names, reading);
    const head = await answer.head();
    const body = head.isStream ? answer.stream() : await answer.whole();
    const headers = new Headers(head.headers);
    const response = new Response(NO_BODY.has(head.status) ? null : body, { status: head.status, headers });
    this.exchanges.set(response, answer.exchange);
    return response;
  }

  /** All calls until a node begins to answer. */
  async #converse(request: Request): Promise<{ names: Names; reading: Reading }> {
    const body = new Uint8Array(await request.arrayBuffer());
    const { pathname, search } = new URL(request.url);
    const start = { session: this.session, method: request.method, path: pathname + search };
    const order = { do: "start", ...start, content_type: request.headers.get("content-type") };
    const { flow } = this.module.ask<{ flow: number }>(order, body).told;
    try {
      let call = this.module.ask<Call>({ do: "begin", flow, now: this.#clock.now() });
      for (;;) {
        await this.#tell(flow);
        const next = await this.#call(flow, call, request.signal);
        if ("reading" in next) return next;
        call = next;
      }
    } finally {
      await this.#tell(flow).catch(() => undefined);
      this.module.ask({ do: "close", flow });
    }
  }

  /** One call: the next one, or the sealed answer. */
  async #call(flow: number, call: { told: Call; bytes: Uint8Array }, signal: AbortSignal) {
    let reading: Reading | undefined;
    let body: Uint8Array;
    try {
      reading = await this.gateway.send(call.told, call.bytes, signal);
      const { status, headers } = reading.response;
      const order = { do: "head", flow, status, content_type: headers.get("content-type") };
      const { maxBytes } = this.module.ask<{ maxBytes: number | null }>(order).told;
      if (maxBytes === null) {
        return { names: this.module.ask<Names>({ do: "exchange", flow }).told, reading };
      }
      body = await readWhole(reading, maxBytes);
    } catch (error) {
      reading?.cancel();
      if (signal.aborted || error instanceof NarthexError) throw error;
      return this.module.ask<Call>({ do: "failed", flow, ...failureOf(error), now: this.#clock.now() });
    }
    return this.module.ask<Call>({ do: "body", flow, now: this.#clock.now() }, body);
  }

  /** What was learned is stored before the next call goes out; what happened is told. */
  async #tell(flow: number): Promise<void> {
    await keep(this.module, this.session, this.options.storage, this.root);
    const { notices } = this.module.ask<{ notices: Notice[] }>({ do: "notices", flow }).told;
    for (const notice of notices) this.options.onNotice?.(notice);
  }

  keep(receipt: Receipt): void {
    this.receipts.push(receipt);
    if (this.receipts.length > MAX_RECEIPTS) this.receipts.shift();
  }
}

/** A sealed answer as it is opened: reading it fails unless the authenticated end is reached. */
class Answer {
  readonly exchange: Exchange;
  #head: Head | undefined;
  #parts: Uint8Array[] = [];

  constructor(
    private readonly client: Client,
    private readonly names: Names,
    private readonly reading: Reading,
  ) {
    this.exchange = { requestId: names.id, node: names.node, receipt: undefined };
  }

  async head(): Promise<Head> {
    while (this.#head === undefined) await this.#advance();
    return this.#head;
  }

  async whole(): Promise<Uint8Array<ArrayBuffer>> {
    while (this.exchange.receipt === undefined) await this.#advance();
    return join(this.#parts);
  }

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        while (this.#parts.length === 0 && this.exchange.receipt === undefined) await this.#advance();
        for (const part of this.#parts.splice(0)) controller.enqueue(part);
        if (this.exchange.receipt !== undefined) controller.close();
      },
      cancel: () => this.#close(),
    });
  }

  async #advance(): Promise<void> {
    try {
      const part = await this.#next();
      const { exchange } = this.names;
      const order = part === undefined ? { do: "finish", exchange } : { do: "push", exchange };
      const { told, bytes } = this.client.module.ask<Opened>(order, part);
      this.#head ??= told.head ?? undefined;
      if (bytes.length > 0) this.#parts.push(bytes);
      if (told.end !== null) this.#end(told.end);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    try {
      return await this.reading.next();
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      const order = { do: "interrupted", exchange: this.names.exchange, why: failureOf(error).why };
      this.client.module.ask(order);
      throw error;
    }
  }

  #end(served: Served): void {
    const receipt = { ...served, signed: fromHex(served.signed), bundle: fromHex(served.bundle) };
    this.exchange.receipt = receipt;
    this.client.keep(receipt);
    this.#close();
  }

  #close(): void {
    this.reading.cancel();
    this.client.module.ask({ do: "close", exchange: this.names.exchange });
  }
}

/** Wall-clock seconds that never run slower than the time that passes: an admission must not outlive a clock set back. */
class Clock {
  readonly #wall = Date.now();
  readonly #started = performance.now();

  now(): number {
    const atLeast = this.#wall + (performance.now() - this.#started);
    return Math.floor(Math.max(Date.now(), atLeast) / 1000);
  }
}
