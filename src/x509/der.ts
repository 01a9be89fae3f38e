import { X509Error } from './errors.ts';

/** Tags of ASN.1 types in DER (X.690). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  ia5String: 0x16,
  bmpString: 0x1e,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag `[n] EXPLICIT`, or `[n] IMPLICIT` of a constructed type. */
export function constructed(n: number): number {
  return 0xa0 | n;
}

/** One tag-length-value. Both buffers are views of the input. */
export interface DerElement {
  readonly tag: number;
  /** The value alone. */
  readonly content: Buffer;
  /** Tag, length and value. */
  readonly whole: Buffer;
}

/**
 * Reads DER element by element. It never reads past its end and never descends by itself, so deep nesting and false
 * lengths cost nothing. All methods throw `X509Error` (`InvalidDer`).
 */
export class DerCursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Whether everything has been read. */
  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next element, with any tag. */
  any(): DerElement {
    const start = this.#at;
    const tag = this.#byte();
    // Tag numbers above 30 need more bytes; nothing in a certificate or key has one.
    if ((tag & 0x1f) === 0x1f) throw invalid();
    const length = this.#length();
    const from = this.#at;
    if (length > this.#bytes.length - from) throw invalid();
    this.#at = from + length;
    return {
      tag,
      content: this.#bytes.subarray(from, this.#at),
      whole: this.#bytes.subarray(start, this.#at),
    };
  }

  /** The next element, which must have this tag. */
  next(tag: number): DerElement {
    if (this.#bytes[this.#at] !== tag) throw invalid();
    return this.any();
  }

  /** The next element if it has this tag. */
  optional(tag: number): DerElement | undefined {
    return this.#bytes[this.#at] === tag ? this.any() : undefined;
  }

  /** A cursor over the content of the next element, which must have this tag. */
  enter(tag: number): DerCursor {
    return new DerCursor(this.next(tag).content);
  }

  /** Throws unless everything has been read. */
  finish(): void {
    if (!this.done) throw invalid();
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw invalid();
    this.#at += 1;
    return byte;
  }

  /** DER allows one form of a length: definite, in as few bytes as possible (X.690 section 10.1). */
  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw invalid();
    let length = 0;
    for (let i = 0; i < count; i += 1) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 256 ** (count - 1)) throw invalid();
    return length;
  }
}

/** The value of a BIT STRING that consists of whole bytes. */
export function bitStringBytes(content: Buffer): Buffer {
  if (content[0] !== 0) throw invalid();
  return content.subarray(1);
}

function invalid(): X509Error {
  return new X509Error('InvalidDer', 'the data is not well-formed DER');
}

/** Encodes an element; `contents` are concatenated. */
export function encode(tag: number, ...contents: Buffer[]): Buffer {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  return Buffer.concat([Buffer.from([tag, ...encodeLength(length)]), ...contents]);
}

function encodeLength(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}
