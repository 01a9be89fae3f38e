import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** The operator as a process of its own. Its last log lines are kept for a failure. */
export class OperatorProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #exit: Promise<unknown>;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, ['--enable-source-maps', 'dist/operator.js', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exit = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#lines.push(
          ...chunk
            .toString()
            .split('\n')
            .filter((line) => line !== ''),
        );
        this.#lines.splice(0, this.#lines.length - 40);
      });
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The last lines of its log. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** Rejects if the process ends before `work` does. */
  async during<T>(work: Promise<T>): Promise<T> {
    const died = this.#exit.then(() => {
      throw new Error(`The operator ended by itself:\n${this.#lines.join('\n')}`);
    });
    return Promise.race([work, died]);
  }

  /** Sends SIGTERM and waits for its end. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await this.#exit;
  }
}
