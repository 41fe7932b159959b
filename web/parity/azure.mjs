// Genuine evidence of Azure's VMs, as another verifier's tests keep it: lists of numbers, hexadecimal, base64 or PEM.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bytes, certificates, hex } from "./files.mjs";

const AT = "2026-06-01T00:00:00Z";
const none = { chain: [], crls: [], at: AT };

function decoded(value) {
  if (Array.isArray(value)) return hex(Buffer.from(value));
  if (value.startsWith("-----BEGIN")) return hex(Buffer.from(value.split("-----")[2], "base64"));
  return /^([0-9a-f]{2})*$/i.test(value) ? value : hex(Buffer.from(value, "base64"));
}

function vm(path, nonce) {
  const document = JSON.parse(readFileSync(path, "utf8"));
  const { message, signature, pcrs } = document.tpm_quote ?? document.quote;
  const quote = { message: decoded(message), signature: decoded(signature), pcrs: pcrs.map(decoded) };
  const vek = document.vcek && decoded(document.vcek);
  return { hcl_report: decoded(document.hcl_report ?? document.report), vek, quote, nonce, ...none };
}

const demanding = (exit, code) => (verdict) => verdict.exit === exit && verdict.code === code;

export function azure(folder) {
  const trustee = (path) => join(folder, "trustee", path);
  const challenge = hex(Buffer.from("challenge"));
  const evidence = (name) => trustee(`az-snp-vtpm/evidence-${name}.json`);
  const authentic = [["v0", challenge], ["v1", challenge], ["v2"], ["genoa"]].map(([name, nonce]) => [name, vm(evidence(name), nonce), 0, "ok"]);
  const refused = ["v2", "genoa"].map((name) => [`${name}, another nonce`, vm(evidence(name), challenge), 10, "azure.quote.nonce"]);
  const alone = [join(folder, "azure-cvm-tooling/hcl-report-snp.bin"), join(folder, "azure-cvm-tooling/hcl-report-tdx.bin"), trustee("az-tdx-vtpm/hcl-report.bin")];
  const [vek, ...chain] = certificates(trustee("az-snp-vtpm/vcek.pem"));
  const incomplete = [
    ...alone.map((path) => [`${path.slice(folder.length + 1)} by itself`, { hcl_report: bytes(path), ...none }, 20, "azure.complete"]),
    ["a report with its VCEK and no quote", { hcl_report: bytes(trustee("az-snp-vtpm/hcl-report.bin")), ...none, vek, chain }, 20, "azure.complete"],
  ];
  return [...authentic, ...refused, ...incomplete].map(([why, request, exit, code]) => ({
    why: `Azure: ${why}`,
    request: { azure: request },
    isRight: demanding(exit, code),
  }));
}
