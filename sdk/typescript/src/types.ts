/** The policy in force. */
export interface Policy {
  readonly name: string;
  readonly version: number;
  /** RFC 3339. */
  readonly expires: string;
}

/** One HTTP exchange with the gateway. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly accept: string;
  readonly contentType: string | null;
  readonly timeoutS: number;
}

/** Head of the inner answer. */
export interface Head {
  readonly status: number;
  readonly headers: [string, string][];
  readonly isStream: boolean;
}

/** A verified serving receipt, what opens it, and the evidence that it names. `narthex receipt verify` verifies it again, offline. */
export interface Receipt {
  /** 32 hexadecimal digits, as in the header `narthex-request-id`. */
  readonly requestId: string;
  /** 64 hexadecimal digits: names the evidence. */
  readonly bindingId: string;
  readonly node: string;
  /** What the receipt says. */
  readonly claims: Record<string, unknown>;
  /** The admission under which the request was sealed, with each check of the evidence. */
  readonly admission: Record<string, unknown>;
  /** COSE_Sign1 by the attested identity: the file for `--receipt`. */
  readonly signed: Uint8Array;
  /** The evidence bundle, CBOR: the file for `--bundle`. */
  readonly bundle: Uint8Array;
  /** The text of the file for `--opening`. A secret: it opens the receipt's digests. */
  readonly opening: string;
}

export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
