/** The most bytes of an unfinished element. An entry of `cert/list` takes about 88. */
const maxPendingBytes = 64 * 1024;

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The input is not a JSON array of objects. The message has the position and never the content. */
export class JsonArrayError extends Error {}

/**
 * Reads a JSON array of objects as it arrives, with one chunk in memory at a time. This class finds the ends of the
 * elements; `JSON.parse` parses all elements that a chunk completes at once, which is much faster than one by one.
 */
export class JsonArrayReader {
  readonly #onElements: (elements: unknown[]) => void;
  /** The start of an element that is not complete yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** 0 before the array, 1 between elements, 2 or more within one, -1 after the array. */
  #depth = 0;
  #between: 'start' | 'element' | 'comma' = 'start';
  #inString = false;
  #escaped = false;
  /** Bytes before the current chunk. */
  #offset = 0;

  /** `onElements` receives each run of parsed elements, in order. `write` throws any error that it throws. */
  constructor(onElements: (elements: unknown[]) => void) {
    this.#onElements = onElements;
  }

  /** Takes the next bytes. Throws `JsonArrayError`. */
  write(chunk: Buffer): void {
    // Local variables, because this loop visits every byte.
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    // The start of the run of elements that end in this chunk, and the start of the current element.
    let runStart = depth > 1 ? 0 : -1;
    let elementStart = runStart;
    let runEnd = -1;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inString = false;
      } else if (depth > 1) {
        if (byte === quote) inString = true;
        else if (byte === openBrace || byte === openBracket) depth += 1;
        else if (byte === closeBrace || byte === closeBracket) {
          depth -= 1;
          if (depth === 1) {
            this.#between = 'element';
            runEnd = at + 1;
          }
        }
      } else if (byte === openBrace && depth === 1 && this.#between !== 'element') {
        depth = 2;
        elementStart = at;
        if (runStart < 0) runStart = at;
      } else {
        depth = this.#outside(byte, depth, this.#offset + at);
      }
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    if (runEnd >= 0) this.#flush(chunk.subarray(runStart, runEnd));
    if (depth > 1) this.#keep(chunk.subarray(elementStart));
    this.#offset += chunk.length;
  }

  /** Ends the input. Throws `JsonArrayError` if the array is not complete. */
  end(): void {
    if (this.#depth !== -1) throw new JsonArrayError(`the array ends early, after byte ${this.#offset}`);
  }

  /** Reads a byte outside of elements and returns the depth after it. */
  #outside(byte: number, depth: number, position: number): number {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return depth;
    if (byte === openBracket && depth === 0) return 1;
    if (byte === closeBracket && depth === 1 && this.#between !== 'comma') return -1;
    if (byte === comma && depth === 1 && this.#between === 'element') this.#between = 'comma';
    else if (depth !== 0 || byte !== byteOrderMark[position])
      throw new JsonArrayError(`unexpected byte at ${position}`);
    return depth;
  }

  #flush(run: Buffer): void {
    const bytes = this.#pending.length > 0 ? Buffer.concat([...this.#pending, run]) : run;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#onElements(parse(`[${bytes.toString('utf8')}]`, this.#offset));
  }

  #keep(part: Buffer): void {
    this.#pendingBytes += part.length;
    if (this.#pendingBytes > maxPendingBytes)
      throw new JsonArrayError(
        `an element is longer than ${maxPendingBytes} bytes, near byte ${this.#offset}`,
      );
    // A copy, because a view of a few bytes would keep the whole chunk in memory.
    this.#pending.push(Buffer.from(part));
  }
}

const byteOrderMark = [0xef, 0xbb, 0xbf];

function parse(text: string, offset: number): unknown[] {
  try {
    return JSON.parse(text) as unknown[];
  } catch {
    // The message of the parser quotes the text.
    throw new JsonArrayError(`an element is not JSON, near byte ${offset}`);
  }
}
