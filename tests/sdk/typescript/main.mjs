// Starts the stack, then the tests in a Node that knows the gateway's certificate the way Node does: NODE_EXTRA_CA_CERTS.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { startStack } from "./stack.mjs";

const stack = await startStack();
const { order, end, ...places } = stack;
const child = spawn(process.execPath, ["--test-reporter=spec", new URL("./sdk.mjs", import.meta.url).pathname], {
  env: { ...process.env, NODE_EXTRA_CA_CERTS: stack.ca, SDK_PLACES: JSON.stringify(places) },
  stdio: ["pipe", "inherit", "inherit", "pipe"],
});
// The tests' orders come on their fourth stream, and are answered on their first.
createInterface({ input: child.stdio[3] }).on("line", async (line) => {
  await order(line);
  child.stdin.write("ok\n");
});
const [status] = await once(child, "exit");
await end();
process.exitCode = status ?? 1;
