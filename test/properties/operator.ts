import { cacertAccounts } from '../../src/account/cacert-accounts.ts';
import { tinycertAccounts } from '../../src/account/tinycert-accounts.ts';
import { KubeClient } from '../../src/kube/client.ts';
import type { Transport } from '../../src/kube/transport/transport.ts';
import { type Clock, sleepOn } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import { type Controllers, startControllers } from '../../src/operator/controllers.ts';
import type { Keys } from './keys.ts';
import { noting, type Wait } from './workers.ts';

/** How long a first purchase waits for an owner of what its resource may have lost, in milliseconds. */
export const UNCLAIMED_WAIT_MS = 900_000;

export interface OperatorOptions {
  clock: Clock;
  transport: Transport;
  namespace: string;
  endpoints: readonly string[];
  /** How many certificates of one kind are worked on at once. */
  workers: number;
  keys: Keys;
  /** Where waits of keys for a worker are noted. */
  waits: Wait[];
}

/** Waits for what never comes. */
function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

/**
 * One process of the operator: its own controllers with all that they keep in memory. It ends as a process does, after what it has
 * begun, or it dies: then it asks nothing more and hears nothing more, and what it has sent arrives all the same.
 */
export class Operator {
  readonly controllers: Controllers;
  readonly #accounts: ReturnType<typeof tinycertAccounts>;
  readonly #stop = new AbortController();
  readonly #force = new AbortController();
  readonly #death = new AbortController();
  readonly #running: Promise<void>;

  constructor({ clock: all, transport, namespace, endpoints, workers, keys, waits }: OperatorOptions) {
    const clock = mortal(all, this.#death.signal);
    const metrics = createMetrics();
    this.#accounts = tinycertAccounts({
      clock,
      sealKey: () => Buffer.alloc(32, 7),
      metrics: { calls: metrics.tinycert, accounts: metrics.accounts },
    });
    this.controllers = startControllers({
      kube: new KubeClient(unheard(transport, this.#death.signal), { fieldManager: 'test' }),
      clock,
      log: silentLog,
      metrics: { ...metrics, queue: noting(metrics.queue, all, waits) },
      accounts: this.#accounts,
      sealKey: () => Buffer.alloc(32, 7),
      cacertAccounts: cacertAccounts({
        clock,
        metrics: { calls: metrics.cacert, accounts: metrics.accounts },
      }),
      settings: {
        namespaces: undefined,
        cacert: true,
        concurrency: workers,
        unclaimedWaitMs: UNCLAIMED_WAIT_MS,
        allowedEndpoints: [...endpoints],
      },
      generateKey: (bits) => keys.next(bits),
      namespace,
      holder: 'us',
      lease: () => undefined,
      crds: { fit: true, check: () => Promise.resolve(), doubt: () => undefined },
      leads: () => true,
      stop: { gentle: this.#stop.signal, forced: this.#force.signal },
    });
    this.#running = this.controllers.run();
  }

  /** Ends after what is under way; `isForced`: without waiting for that. Resolves once it has ended. */
  async end(isForced: boolean): Promise<void> {
    this.#stop.abort();
    if (isForced) this.#force.abort();
    await Promise.all([this.#running, this.controllers.close(), this.#accounts.close()]);
  }

  /** Dies at once. */
  die(): void {
    this.#death.abort();
  }
}

/** A clock whose timers are gone with the process that set them. */
function mortal(clock: Clock, death: AbortSignal): Clock {
  const own: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    timer: (ms, fn) =>
      clock.timer(ms, () => {
        if (!death.aborted) fn();
      }),
    sleep: (ms, signal) => sleepOn(own, ms, signal),
  };
  return own;
}

/** What a process hears of an API server: nothing once it is dead. A request that has left it arrives. */
function unheard(transport: Transport, death: AbortSignal): Transport {
  const alive = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      const result = await answer;
      return death.aborted ? await never<T>() : result;
    } catch (error) {
      if (death.aborted) return never<T>();
      throw error;
    }
  };
  const part: Pick<Transport, 'request' | 'stream' | 'close'> = {
    request: (request) => (death.aborted ? never() : alive(transport.request(request))),
    stream: (request, onChunk) => {
      if (death.aborted) return never();
      const signal = request.signal ? AbortSignal.any([request.signal, death]) : death;
      return alive(
        transport.stream({ ...request, signal }, (chunk) => {
          if (!death.aborted) onChunk(chunk);
        }),
      );
    },
    close: () => Promise.resolve(),
  };
  return part as Transport;
}
