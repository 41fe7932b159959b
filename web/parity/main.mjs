// Asks the WASM build and the native build the same, and compares: with each other byte by byte, and with what each case demands.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { azure } from "./azure.mjs";
import { native, wasm } from "./build.mjs";
import { flipped } from "./flipped.mjs";
import { suite } from "./suite.mjs";
import { table } from "./table.mjs";

const file = { type: "string" };
const { values: given } = parseArgs({
  options: {
    wasm: file, // of `web`, which ships
    native: file,
    "invented-wasm": file, // of `web-invented`, which does not
    "invented-native": file,
    table: { type: "string", multiple: true }, // TABLE=FOLDER
    azure: file, // folder
    suite: file, // folder
    nodes: file, // a case per line
  },
});

let faults = 0;

function judge(name, { ask, program }, cases) {
  if (cases.length === 0) throw new Error(`${name}: no cases`);
  const requests = cases.map(({ request }) => JSON.stringify(request));
  const natives = native(program, requests);
  const judged = cases.map((one, index) => {
    const answer = ask(requests[index]);
    const verdict = JSON.parse(answer);
    const isRight = answer === natives[index] && one.isRight(verdict);
    if (!isRight) console.log(`FAIL  ${one.why}\n  wasm:   ${answer}\n  native: ${natives[index]}`);
    return { ...one, verdict, isRight };
  });
  const wrong = judged.filter(({ isRight }) => !isRight).length;
  faults += wrong;
  console.log(`${name}: ${judged.length - wrong} of ${judged.length} verdicts as demanded, WASM and native alike`);
  return judged;
}

function tell(judged) {
  for (const { isRight, verdict, why } of judged) if (isRight) console.log(`PASS  exit ${verdict.exit}  ${verdict.code}  — ${why}`);
}

function nodes(path) {
  const lines = readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  return lines.map(({ why, exit, code, request }) => ({
    why,
    request,
    isRight: (verdict) => verdict.exit === exit && verdict.code === code && (verdict.claims?.anchors ?? "custom") === "custom",
  }));
}

const shipped = { ask: await wasm(given.wasm, "narthex_verify"), program: given.native };
const invented = { ask: await wasm(given["invented-wasm"], "invented_verify"), program: given["invented-native"] };

const tables = given.table.flatMap((pair) => table(...pair.split("=")));
if (tables.length < 16) throw new Error(`only ${tables.length} cases in ${given.table.join(" and ")}`);
const judged = judge("tables", shipped, tables);
tell(judged);
if (given.azure) judged.push(...judge("Azure", shipped, azure(given.azure)));
else console.log("Azure: nothing to look at, no package ships its evidence");
judge("flipped bits", shipped, flipped(judged));
judge("conformance suite", invented, suite(given.suite));
const simulated = nodes(given.nodes);
tell(judge("simulated nodes", invented, simulated));
const strangers = simulated.map(({ why, request }) => ({ why, request: request.request, isRight: ({ exit }) => exit !== 0 }));
judge("simulated nodes under the vendors' roots", shipped, strangers);

console.log(faults === 0 ? "WASM and native agree" : `${faults} FAULTS`);
process.exitCode = faults === 0 ? 0 : 1;
