/** Prints the steps of a run while they happen, each with its time. */
export class Steps {
  readonly #started = performance.now();
  readonly #isTerminal = process.stdout.isTTY;
  readonly #notes: string[] = [];

  /** Runs one step. On a terminal the line shows its progress. */
  async run<T>(title: string, work: (tell: (detail: string) => void) => Promise<T>): Promise<T> {
    const started = performance.now();
    this.#open(title);
    try {
      const result = await work((detail) => this.#tell(title, detail));
      this.#close('ok', title, performance.now() - started);
      return result;
    } catch (error) {
      this.#close('FAILED', title, performance.now() - started);
      throw error;
    }
  }

  /** Prints a line below the current step once it has ended. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** Seconds since the start, for people. */
  get elapsed(): string {
    return seconds(performance.now() - this.#started);
  }

  #open(title: string): void {
    if (this.#isTerminal) process.stdout.write(`  …    ${title}`);
  }

  #tell(title: string, detail: string): void {
    if (this.#isTerminal) process.stdout.write(`\r\x1b[2K  …    ${title}: ${detail}`);
    else console.log(`  …      ${title}: ${detail}`);
  }

  #close(result: string, title: string, ms: number): void {
    const start = this.#isTerminal ? '\r\x1b[2K' : '';
    process.stdout.write(`${start}${result.padEnd(6)} ${title} (${seconds(ms)})\n`);
    for (const note of this.#notes.splice(0)) console.log(`       ${note}`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
