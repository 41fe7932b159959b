// The conformance suite, FOLDER/<vendor>/<case>/case.json, as requests under the roots of its vendors.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { raw } from "./files.mjs";

const vendors = {
  snp: ({ report, vek, chain, crls, ark, ask }) => ({ roots: { snp: { ark, ask } }, evidence: { report, vek, chain, crls } }),
  tdx: ({ quote, event_log, collateral, root }) => ({ roots: { tdx: root }, evidence: { quote, event_log, collateral } }),
  nvidia: ({ report, chain, rims, ocsp, nonce, device_root, rim_root }) => ({
    roots: { nvidia: { device_root, rim_root } },
    evidence: { report, chain, rims, ocsp, nonce },
  }),
};

const exits = { reject: 10, incomplete: 20, malformed: 30 };

// The suite's "accept" is of authentic evidence, which has claims. Those that it names say whether it is acceptable without a policy.
function isDemanded(expect, verdict) {
  if (expect.verdict !== "accept") return verdict.exit === exits[expect.verdict] && verdict.code === expect.code && verdict.claims === null;
  const isTold = ([name, text]) => String(verdict.claims?.[name]) === text;
  const isJudged = expect.claims === undefined || verdict.code === unacceptable(expect.claims);
  return verdict.claims !== null && isJudged && Object.entries(expect.claims ?? {}).every(isTold);
}

function unacceptable({ tcb_status = "UpToDate", debug }) {
  if (tcb_status !== "UpToDate") return "tdx.tcb.status";
  return debug === "true" ? "tdx.debug" : "ok";
}

function caseOf(vendor, folder) {
  const { title, at, inputs, expect } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8"));
  const read = (path) => raw(join(folder, path));
  const named = Object.entries(inputs).map(([key, paths]) => [key, Array.isArray(paths) ? paths.map(read) : read(paths)]);
  const { roots, evidence } = vendors[vendor](Object.fromEntries(named));
  return {
    why: `${vendor}: ${title}`,
    request: { roots, request: { [vendor]: { ...evidence, at } } },
    isRight: (verdict) => isDemanded(expect, verdict),
  };
}

export function suite(folder) {
  const isVendor = (name) => readdirSync(join(folder, name)).some((one) => existsSync(join(folder, name, one, "case.json")));
  const found = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && isVendor(entry.name));
  return found.flatMap(({ name: vendor }) => {
    if (!vendors[vendor]) throw new Error(`a vendor that is not known: ${vendor}`);
    const folders = readdirSync(join(folder, vendor)).sort().map((name) => join(folder, vendor, name));
    return folders.filter((one) => existsSync(join(one, "case.json"))).map((one) => caseOf(vendor, one));
  });
}
