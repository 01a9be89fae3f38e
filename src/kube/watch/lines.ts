const NEWLINE = 0x0a;

/** Longest line in bytes. etcd accepts objects of up to 1.5 MiB, and JSON makes them a few times longer at worst. */
const MAX_LINE = 16 * 2 ** 20;

/** Splits a byte stream into lines. Bytes after the last newline wait for the rest of their line; if the stream ends, they are dropped. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #partial: Buffer[] = [];
  #size = 0;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Throws a RangeError for a line of more than 16 MiB, and whatever `onLine` throws. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#complete(chunk.subarray(start, end));
      start = end + 1;
      if (line !== '') this.#onLine(line);
    }
    if (start === chunk.length) return;
    const rest = chunk.subarray(start);
    this.#size += rest.length;
    if (this.#size > MAX_LINE) throw new RangeError('A line of the watch is longer than the limit.');
    this.#partial.push(rest);
  }

  #complete(end: Buffer): string {
    if (this.#partial.length === 0) return end.toString('utf8');
    const line = Buffer.concat([...this.#partial, end]).toString('utf8');
    this.#partial = [];
    this.#size = 0;
    return line;
  }
}
