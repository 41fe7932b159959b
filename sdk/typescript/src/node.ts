/** What needs Node: files. */
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Storage } from "./memory.js";
import type { Receipt } from "./types.js";

/** Keeps each text in a file of this directory, which only the user can read. One process at a time. */
export function fileStorage(directory: string): Storage {
  return {
    async load(name) {
      try {
        return await readFile(join(directory, `${name}.json`), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
    },
    async store(name, text) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writePrivate(join(directory, `${name}.json`), text);
    },
  };
}

/** Writes `ID.receipt`, `ID.opening` (a secret) and `ID.bundle`, for an auditor's `narthex receipt verify`. */
export async function saveReceipt(directory: string, receipt: Receipt): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writePrivate(join(directory, `${receipt.requestId}.receipt`), receipt.signed);
  await writePrivate(join(directory, `${receipt.requestId}.opening`), receipt.opening);
  await writePrivate(join(directory, `${receipt.requestId}.bundle`), receipt.bundle);
}

/** Writes beside its place, then moves it there: a reader sees all of it or nothing. */
async function writePrivate(path: string, content: string | Uint8Array): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  const file = await open(beside, "w", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}
