/** What goes wrong. Whoever gets one has no answer, whatever came before it. */
export class NarthexError extends Error {
  override readonly name = "NarthexError";

  constructor(
    /** Stable, e.g. `snp.signature`, `policy.denied`, `channel.truncated`. */
    readonly code: string,
    message: string,
    /** Whether the same request may succeed later without anybody changing anything. */
    readonly retryable = false,
    options?: ErrorOptions,
  ) {
    super(`${message} [${code}]`, options);
  }
}

/** A mistake of the request, which is answered as OpenAI's API would. */
export class RequestMistake extends NarthexError {
  constructor(
    code: string,
    message: string,
    readonly status: number,
    readonly body: string,
  ) {
    super(code, message);
  }
}
