// A table of cases (exit, time, command, why): one request per line. A command that is not known is an error, so that none is left out.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { base64OrBytes, bytes, certificates, crls } from "./files.mjs";

const kinds = {
  snp: ({ one, all }) => ({
    snp: { report: bytes(one("--report")), vek: certificates(one("--vek"))[0], chain: all("--chain").flatMap(certificates), crls: all("--crl").flatMap(crls) },
  }),
  tdx: ({ one }) => ({
    tdx: { quote: bytes(one("--quote")), event_log: given(one("--event-log")), collateral: given(one("--collateral")) },
  }),
  nvidia: ({ one, all, text }) => {
    const references = { rims: all("--rim").map(bytes), ocsp: all("--ocsp").map(base64OrBytes), nonce: text("--nonce") };
    return one("--evidence")
      ? { nvidia_machine: { evidence: bytes(one("--evidence")), ...references } }
      : { nvidia: { report: bytes(one("--report")), chain: all("--chain").flatMap(certificates), ...references } };
  },
};

const given = (path) => (path === undefined ? undefined : bytes(path));

function requestOf(command, at, folder) {
  const [verb, kind, ...words] = command.split(" ");
  if (verb !== "verify" || !kinds[kind]) throw new Error(`not a command that is known: ${command}`);
  const values = (option) => words.flatMap((word, index) => (word === option ? [words[index + 1]] : []));
  const all = (option) => values(option).map((path) => join(folder, path));
  const request = kinds[kind]({ all, one: (option) => all(option)[0], text: (option) => values(option)[0] });
  request[Object.keys(request)[0]].at = at;
  return request;
}

export function table(path, folder) {
  const lines = readFileSync(path, "utf8").trim().split("\n").slice(1);
  const rows = lines.map((line) => line.split("\t"));
  return rows.map(([exit, at, command, why]) => ({
    why,
    request: requestOf(command, at, folder),
    isRight: (verdict) => verdict.exit === Number(exit),
  }));
}
