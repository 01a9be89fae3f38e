import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { hasEnded, tied } from '../processes/children.ts';
import type { FloorOrder, FloorReply, FloorSetup } from './floor.ts';
import { BenchError } from '../errors.ts';

/** The argument with which bench/main.ts runs as a floor's process. */
export const FLOOR_ARGUMENT = 'floor-process';

/** A floor's process, as the bench sees it. */
export class FloorProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(setup: FloorSetup): Promise<FloorProcess> {
    const main = new URL('../main.ts', import.meta.url);
    const child = tied(fork(main, [FLOOR_ARGUMENT], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
    const floor = new FloorProcess(child);
    await floor.order(setup);
    return floor;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends an order and returns the milliseconds that the process reports. */
  async order(order: FloorOrder): Promise<number[]> {
    const child = this.#child;
    const over = new AbortController();
    const replied = once(child, 'message', { signal: over.signal }) as Promise<[FloorReply]>;
    const gone = once(child, 'exit', { signal: over.signal }).then((): never => {
      throw new BenchError('A process of the raw loop ended.');
    });
    gone.catch(() => undefined);
    child.send(order);
    try {
      const [reply] = await Promise.race([replied, gone]);
      if (!reply.ok) throw new BenchError(`The raw loop failed: ${reply.message}`);
      return reply.times;
    } finally {
      replied.catch(() => undefined);
      over.abort();
    }
  }

  async stop(): Promise<void> {
    if (hasEnded(this.#child)) return;
    this.#child.disconnect();
    await once(this.#child, 'exit');
  }
}
