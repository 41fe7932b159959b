import type { Module } from "./module.js";

/** Where the highest policy versions seen are kept; an older policy is refused from then on. */
export interface Storage {
  /** What was stored under this name; null if nothing ever was. An error is an error, not null. */
  load(name: string): Promise<string | null> | string | null;
  /** Stores durably before it returns. */
  store(name: string, text: string): Promise<void> | void;
}

/** Forgets when the page or process ends: an older policy is accepted then. */
export function memoryStorage(): Storage {
  const texts = new Map<string, string>();
  return {
    load: (name) => texts.get(name) ?? null,
    store: (name, text) => void texts.set(name, text),
  };
}

interface MemoryText {
  readonly text: string;
  readonly isChanged: boolean;
}

/** Stores what the session has learned, together with what other contexts have. */
export async function keep(module: Module, session: number, storage: Storage, name: string): Promise<void> {
  if (!module.ask<MemoryText>({ do: "memory", session }).told.isChanged) return;
  const before = await storage.load(name);
  if (before !== null) module.ask({ do: "recall", session, text: before });
  await storage.store(name, module.ask<MemoryText>({ do: "memory", session }).told.text);
}
