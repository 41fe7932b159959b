/**
 * Confidential inference from JavaScript: verify the confidential VM yourself, seal to it, open its answers, keep its receipts.
 *
 * ```ts
 * const fetch = await createNarthexFetch({ gateway, apiKey, policy, policyKeys, storage });
 * const client = new OpenAI({ fetch, baseURL: "https://narthex/v1", apiKey: "unused" });
 * ```
 */
export { createNarthexFetch } from "./fetch.js";
export type { Beside, Exchange, NarthexFetch, NarthexOptions, Notice } from "./fetch.js";
export { NarthexError } from "./errors.js";
export type { Storage } from "./memory.js";
export { memoryStorage } from "./memory.js";
export { Module } from "./module.js";
export type { Policy, Receipt } from "./types.js";
