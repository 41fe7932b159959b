// The official openai package on narthex's fetch, against the whole stack, whose evidence is simulated.
//
// The WebAssembly module is the one of invented vendors (tests/sdk-invented), in the place of the one that ships; all else is what ships.
// The one that ships must refuse.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";
import { createNarthexFetch, memoryStorage, Module, NarthexError } from "narthex";
import { fileStorage, saveReceipt } from "narthex/node";
import OpenAI from "openai";

const places = JSON.parse(process.env.SDK_PLACES);
const MODEL = places.model;
const [SNP, TDX] = places.nodes;
const scratch = mkdtempSync(join(tmpdir(), "narthex-sdk-"));
const orders = createWriteStream("", { fd: 3 });
const answers = createInterface({ input: process.stdin });
const lines = answers[Symbol.asyncIterator]();
after(() => {
  rmSync(scratch, { recursive: true });
  orders.end();
  answers.close();
});

async function order(...words) {
  orders.write(`${words.join(" ")}\n`);
  assert.equal((await lines.next()).value, "ok");
}

const file = (name) => join(places.directory, name);
const messages = [{ role: "user", content: "What is the capital of France? Answer in one sentence." }];
const ASK = { model: MODEL, messages, max_tokens: 24, temperature: 0 };

async function invented() {
  const module = await Module.load(readFileSync(process.env.SDK_INVENTED_WASM));
  const roots = ["ark", "ask", "intel-root", "device-root", "rim-root"].map((name) => readFileSync(file(`simulated-${name}.der`)));
  const parts = roots.flatMap((root) => [Buffer.from(new Uint32Array([root.length]).buffer), root]);
  const frame = Buffer.concat([Buffer.from([2, 0, 0, 0]), Buffer.from("{}"), ...parts]);
  const { narthex_alloc, narthex_free, invented_trust, memory } = module.instance.exports;
  const address = narthex_alloc(frame.length);
  new Uint8Array(memory.buffer, address, frame.length).set(frame);
  assert.equal(invented_trust(address, frame.length), 1);
  narthex_free(address, frame.length);
  return module;
}

const module = await invented();

const options = (policy = "policy", rest = {}) => ({
  gateway: places.gateway,
  apiKey: places.api_key,
  policy: readFileSync(file(`${policy}.json`), "utf8"),
  policyKeys: places.policy_keys.map((path) => readFileSync(path, "utf8")),
  storage: memoryStorage(),
  module,
  ...rest,
});

const clientOf = (fetch) => new OpenAI({ fetch, baseURL: "https://narthex/v1", apiKey: "unused", maxRetries: 0 });
const codeOf = (error) => (error instanceof NarthexError ? error : error.cause)?.code;
const refuses = (work, code) =>
  assert.rejects(work, (error) => {
    assert.match(String(codeOf(error)), code, error.stack);
    return true;
  });

describe("answers", { concurrency: false }, async () => {
  const notices = [];
  const fetch = await createNarthexFetch(options("policy", { onNotice: (notice) => notices.push(notice) }));
  const client = clientOf(fetch);

  test("models", async () => {
    assert.deepEqual((await client.models.list()).data.map((model) => model.id), [MODEL]);
    assert.equal((await client.models.retrieve(MODEL)).id, MODEL);
  });

  test("a whole answer with its receipt", async () => {
    const { data, response } = await client.chat.completions.create(ASK).withResponse();
    assert.match(data.choices[0].message.content, /Paris/);
    const { receipt, node, requestId } = fetch.exchange(response);
    assert.equal(response.headers.get("narthex-request-id"), requestId);
    assert.equal(node, SNP);
    assert.equal(receipt.claims.usage.completion_tokens, data.usage.completion_tokens);
    assert.equal(fetch.receipts.at(-1), receipt);
    assert.equal(fetch.policy.version, 1);
  });

  test("a stream equals the whole, and its receipt comes at the end", async () => {
    const whole = await client.chat.completions.create(ASK);
    const before = fetch.receipts.length;
    const { data, response } = await client.chat.completions.create({ ...ASK, stream: true }).withResponse();
    let [text, chunks] = ["", 0];
    for await (const chunk of data) {
      text += chunk.choices[0]?.delta?.content ?? "";
      chunks += 1;
    }
    assert.equal(text, whole.choices[0].message.content);
    // Who speaks, what was said, why it ended: all that is said within one beat is one event, so there may be no more.
    assert.ok(chunks >= 3, `${chunks} chunks`);
    assert.equal(fetch.receipts.length, before + 1);
    assert.equal(fetch.exchange(response).receipt, fetch.receipts.at(-1));
  });

  test("an early end leaves the fetch well", async () => {
    const stream = await client.chat.completions.create({ ...ASK, max_tokens: 200, stream: true });
    for await (const _ of stream) break;
    const abort = new AbortController();
    abort.abort();
    await assert.rejects(client.chat.completions.create(ASK, { signal: abort.signal }), OpenAI.APIUserAbortError);
    assert.ok((await client.chat.completions.create(ASK)).choices.length);
  });

  test("several at once", async () => {
    const all = await Promise.all([1, 2, 3].map(() => client.chat.completions.create(ASK)));
    assert.equal(new Set(all.map((answer) => answer.choices[0].message.content)).size, 1);
  });

  test("mistakes are told as OpenAI tells them", async () => {
    const mistake = (type, code) => (error) => {
      assert.ok(error instanceof type, error.stack);
      assert.equal(error.code, code);
      return true;
    };
    const chat = (more) => client.chat.completions.create({ ...ASK, ...more });
    await assert.rejects(chat({ model: "gpt-nothing" }), mistake(OpenAI.NotFoundError, "model_not_found"));
    await assert.rejects(client.images.generate({ prompt: "a door" }), mistake(OpenAI.NotFoundError, "unknown_url"));
    await assert.rejects(chat({ n: 9 }), mistake(OpenAI.BadRequestError, "invalid_value"));
    assert.equal(fetch.receipts.at(-1).claims.status, 400, "an error has a receipt too");
  });

  test("the receipt verifies offline", async () => {
    const body = JSON.stringify(ASK);
    const headers = { "content-type": "application/json" };
    const response = await fetch("https://narthex/v1/chat/completions", { method: "POST", body, headers });
    const { receipt } = fetch.exchange(response);
    const folder = join(scratch, "receipts");
    await saveReceipt(folder, receipt);
    writeFileSync(join(folder, "request"), body);
    writeFileSync(join(folder, "response"), Buffer.from(await response.arrayBuffer()));
    assert.equal(statSync(join(folder, `${receipt.requestId}.opening`)).mode & 0o777, 0o600);
    const names = { receipt: `${receipt.requestId}.receipt`, opening: `${receipt.requestId}.opening`, bundle: `${receipt.requestId}.bundle` };
    const files = Object.entries({ ...names, request: "request", response: "response" });
    const flags = files.flatMap(([name, path]) => [`--${name}`, join(folder, path)]);
    const verify = () => execFileSync(places.demo, ["client", places.directory, "receipt", "verify", ...flags], { stdio: "pipe" });
    verify();
    writeFileSync(join(folder, "request"), body.replace("France", "Italy"));
    assert.throws(verify);
  });

  test("what was checked is told", () => {
    const [{ admitted }] = notices;
    const checks = new Set(admitted.checks.map((check) => check.id));
    for (const id of ["snp.signature", "binding.report_data", "freshness.nonce"]) assert.ok(checks.has(id), id);
    assert.equal(admitted.anchors, "custom");
  });
});

describe("refusals", { concurrency: false }, () => {
  test("a cut or flipped answer is never whole", async () => {
    const client = clientOf(await createNarthexFetch(options()));
    // At the border of a chunk, and within one.
    const cut = /^(channel\.truncated|channel\.interrupted|response\.authentication)$/;
    for (const [fault, code] of [["drop-half", cut], ["drop-last 1", cut], ["drop-last 40", cut], ["flip 40", /^response\./]]) {
      await order("fault", fault);
      await refuses(client.chat.completions.create(ASK), code);
      const seen = [];
      await refuses(async () => {
        for await (const chunk of await client.chat.completions.create({ ...ASK, stream: true })) seen.push(chunk);
      }, code);
      if (!fault.startsWith("flip")) assert.ok(seen.length > 0, "what came before was authentic and was shown");
    }
    await order("fault", "none");
    await client.chat.completions.create(ASK);
  });

  test("the user's policy decides", async () => {
    const denied = clientOf(await createNarthexFetch(options("other")));
    await refuses(denied.models.list(), /^policy\.denied$/);
    const fetch = await createNarthexFetch(options("tdx"));
    await clientOf(fetch).chat.completions.create(ASK);
    assert.equal(fetch.receipts.at(-1).node, TDX);
  });

  test("an older policy is refused after a restart", async () => {
    const storage = fileStorage(join(scratch, "rollback"));
    await createNarthexFetch(options("tdx", { storage }));
    await refuses(createNarthexFetch(options("policy", { storage })), /^policy\.rollback$/);
    const [name] = readdirSync(join(scratch, "rollback"));
    writeFileSync(join(scratch, "rollback", name), "{}");
    await refuses(createNarthexFetch(options("tdx", { storage })), /^memory\.corrupt$/);
  });

  test("a policy needs its signatures", async () => {
    const { policy, policyKeys } = options();
    const envelope = JSON.parse(policy);
    envelope.signatures.pop();
    const half = JSON.stringify(envelope);
    await refuses(createNarthexFetch(options("policy", { policy: half })), /./);
    await refuses(createNarthexFetch(options("policy", { policyKeys: [] })), /./);
    await refuses(createNarthexFetch(options("policy", { policyKeys: [policyKeys[0], policyKeys[0]] })), /./);
    await createNarthexFetch(options("policy", { policy: half, threshold: 1 }));
  });

  test("the gateway takes the key, and its address is an origin", async () => {
    const keyless = clientOf(await createNarthexFetch(options("policy", { apiKey: "wrong" })));
    await refuses(keyless.models.list(), /^gateway\.unauthorized$/);
    const nowhere = clientOf(await createNarthexFetch(options("policy", { gateway: "https://127.0.0.1:1" })));
    await refuses(nowhere.models.list(), /^gateway\.unreachable$/);
    for (const gateway of ["http://gateway.example", "http://127.0.0.1.evil.example", "https://a/b", "https://u:p@a", "a"]) {
      await refuses(createNarthexFetch(options("policy", { gateway })), /^gateway\.url$/);
    }
  });

  test("the module that ships refuses simulated evidence and has no way to other roots", async () => {
    const shipped = await Module.load();
    const names = Object.keys(shipped.instance.exports).filter((name) => !name.startsWith("__"));
    assert.deepEqual(names.sort(), ["memory", "narthex_alloc", "narthex_answer", "narthex_free"]);
    const fetch = await createNarthexFetch(options("policy", { module: shipped }));
    await refuses(clientOf(fetch).chat.completions.create(ASK), /^(snp|tdx)\./);
    assert.equal(fetch.receipts.length, 0);
  });
});
