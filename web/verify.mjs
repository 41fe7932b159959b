// Runs the WASM verifier over a table of cases (exit, time, command, why) and compares it with the table and with the native build.
// usage: node web/verify.mjs MODULE.wasm NATIVE CASES.tsv FOLDER
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [modulePath, nativePath, casesPath, folder] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(modulePath), {});
const { memory, narthex_alloc: alloc, narthex_free: free, narthex_verify_snp: verifySnp } = instance.exports;

function ask(request) {
  const bytes = new TextEncoder().encode(request);
  const address = alloc(bytes.length);
  new Uint8Array(memory.buffer, address, bytes.length).set(bytes);
  const packed = BigInt.asUintN(64, verifySnp(address, bytes.length));
  free(address, bytes.length);
  const [at, length] = [Number(packed >> 32n), Number(packed & 0xffffffffn)];
  const answer = new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));
  free(at, length);
  return answer;
}

const isPem = (bytes) => bytes.subarray(0, 10).toString() === "-----BEGIN";

function certificates(path) {
  const bytes = readFileSync(path);
  if (!isPem(bytes)) return [bytes];
  const blocks = bytes.toString().match(/-----BEGIN CERTIFICATE-----[^-]+/g);
  return blocks.map((block) => Buffer.from(block.slice(27), "base64"));
}

function report(path) {
  const bytes = readFileSync(path);
  return path.endsWith(".hex") ? Buffer.from(bytes.toString().trim(), "hex") : bytes;
}

function requestOf(command, at) {
  const words = command.split(" ");
  const given = (option) => words.flatMap((word, i) => (word === option ? [join(folder, words[i + 1])] : []));
  const hex = (bytes) => bytes.toString("hex");
  return {
    report: hex(report(given("--report")[0])),
    vek: hex(certificates(given("--vek")[0])[0]),
    chain: given("--chain").flatMap(certificates).map(hex),
    crls: given("--crl").map((path) => hex(readFileSync(path))),
    at,
  };
}

function cases() {
  const lines = readFileSync(casesPath, "utf8").trim().split("\n").slice(1);
  const rows = lines.map((line) => line.split("\t")).filter(([, , command]) => command.startsWith("verify snp "));
  return rows.map(([exit, at, command, why]) => ({ exit: Number(exit), why, request: requestOf(command, at) }));
}

// The first genuine evidence with every 97th bit of the report and of the certificate flipped: nothing to expect but agreement.
function* flipped({ request }) {
  for (const part of ["report", "vek"]) {
    const bytes = Buffer.from(request[part], "hex");
    for (let bit = 0; bit < bytes.length * 8; bit += 97) {
      bytes[bit >> 3] ^= 1 << (bit & 7);
      yield { why: `bit ${bit} of the ${part} flipped`, request: { ...request, [part]: bytes.toString("hex") } };
      bytes[bit >> 3] ^= 1 << (bit & 7);
    }
  }
}

const table = cases();
const all = [...table, ...flipped(table.find(({ exit }) => exit === 0))];
const requests = all.map(({ request }) => JSON.stringify(request));
const native = execFileSync(nativePath, { input: requests.join("\n") + "\n", encoding: "utf8", maxBuffer: 1 << 28 }).trim().split("\n");

let faults = 0;
all.forEach(({ exit, why }, index) => {
  const wasm = ask(requests[index]);
  const verdict = JSON.parse(wasm);
  const agrees = wasm === native[index];
  const expected = exit === undefined ? verdict.exit !== 0 : verdict.exit === exit;
  if (exit !== undefined) console.log(`${agrees && expected ? "PASS" : "FAIL"}  exit ${verdict.exit}  ${verdict.code}  — ${why}`);
  if (agrees && expected) return;
  faults += 1;
  console.log(`FAIL  ${why}\n  wasm:   ${wasm}\n  native: ${native[index]}`);
});
if (table.length < 8) throw new Error(`only ${table.length} cases in ${casesPath}`);
console.log(`${table.length} cases and ${all.length - table.length} flipped bits: ${faults === 0 ? "WASM and native agree" : `${faults} FAULTS`}`);
process.exitCode = faults === 0 ? 0 : 1;
