// Evidence with one bit flipped, some hundred for each kind: the verdict is the same in both builds, and another than that of the evidence itself.

// What is flipped of each kind, and every how many bits.
const parts = {
  snp: { report: 97, vek: 97 },
  tdx: { quote: 331, event_log: 4099 },
  nvidia: { report: 331 },
  azure: { hcl_report: 331 },
};

// Of an event log the digests are vouched for; what it says of the events is a hint, and may change.
const isVouchedFor = (part) => part !== "event_log";

function* flips(kind, part, { request, verdict }) {
  const evidence = request[kind];
  const bytes = Buffer.from(evidence[part], "hex");
  for (let bit = 0; bit < bytes.length * 8; bit += parts[kind][part]) {
    bytes[bit >> 3] ^= 1 << (bit & 7);
    yield {
      why: `${kind}: bit ${bit} of ${part} flipped`,
      request: { [kind]: { ...evidence, [part]: bytes.toString("hex") } },
      isRight: ({ exit, code }) => exit !== 0 && (code !== verdict.code || !isVouchedFor(part)),
    };
    bytes[bit >> 3] ^= 1 << (bit & 7);
  }
}

// `judged`: cases with their verdicts. The first of a kind that nothing speaks against is the one flipped.
export function flipped(judged) {
  return Object.keys(parts).flatMap((kind) => {
    const one = (part) => judged.find(({ request, verdict }) => request[kind]?.[part] && [0, 20].includes(verdict.exit));
    return Object.keys(parts[kind]).flatMap((part) => (one(part) ? [...flips(kind, part, one(part))] : []));
  });
}
