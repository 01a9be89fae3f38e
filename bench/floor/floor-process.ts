import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { hasEnded, tied } from '../processes/children.ts';
import type { FloorOrder, FloorReply, FloorSetup } from './floor.ts';
import { BenchError } from '../errors.ts';

/** Name of the argument that makes bench/main.ts a floor's process. */
export const FLOOR_ARGUMENT = 'floor-process';

/** A floor's process, from the outside. */
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

  /** Has an order carried out and gives the milliseconds it reports. */
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
