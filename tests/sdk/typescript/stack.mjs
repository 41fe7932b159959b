// The stack of the end-to-end tests: a process that says where everything is, and does harm when it is told to.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export async function startStack() {
  const { SDK_STACK, NARTHEX_MODEL, SDK_PROGRAMS } = process.env;
  const child = spawn(SDK_STACK, [NARTHEX_MODEL, SDK_PROGRAMS], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the stack has ended");
    return value;
  };
  const places = JSON.parse(await line());
  return {
    ...places,
    async order(...words) {
      child.stdin.write(`${words.join(" ")}\n`);
      const said = await line();
      if (said !== "ok") throw new Error(said);
    },
    async end() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.stdin.end();
      await ended;
    },
  };
}
