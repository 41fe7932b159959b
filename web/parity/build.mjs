// A build of the verifier: a WASM module in this process, or a program that answers line by line.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

// The function `entry` of the module, as text to text.
export async function wasm(path, entry) {
  const { instance } = await WebAssembly.instantiate(readFileSync(path), {});
  const { memory, narthex_alloc: alloc, narthex_free: free, [entry]: verify } = instance.exports;
  return (request) => {
    const bytes = new TextEncoder().encode(request);
    const address = alloc(bytes.length);
    new Uint8Array(memory.buffer, address, bytes.length).set(bytes);
    const packed = BigInt.asUintN(64, verify(address, bytes.length));
    free(address, bytes.length);
    const [at, length] = [Number(packed >> 32n), Number(packed & 0xffffffffn)];
    const answer = new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));
    free(at, length);
    return answer;
  };
}

// The program's answers, in the order of the requests.
export function native(path, requests) {
  const input = requests.join("\n") + "\n";
  return execFileSync(path, { input, encoding: "utf8", maxBuffer: 1 << 30 }).trimEnd().split("\n");
}
