import { handshake, type Target } from './tls.ts';

/** Handshakes at a fixed rate, whether the ones before have ended or not. */
export interface Load {
  /** Resolves with the time of the first handshake, in ms since the epoch, that got a certificate with this serial number. */
  firstWith(serial: string): number | undefined;
  /** Ends it, and resolves with what came of it once the last handshake has ended. */
  stop(): Promise<LoadResult>;
}

export interface LoadResult {
  handshakes: number;
  /** Each failed handshake as a sentence. */
  failures: readonly string[];
  perSecond: number;
  serials: readonly string[];
}

/** Starts it. */
export function startLoad(target: Target, perSecond: number): Load {
  const startedAt = performance.now();
  const first = new Map<string, number>();
  const failures: string[] = [];
  const running = new Set<Promise<void>>();
  let count = 0;
  const one = async (): Promise<void> => {
    try {
      const { serialNumber } = await handshake(target);
      if (!first.has(serialNumber)) first.set(serialNumber, Date.now());
    } catch (error) {
      failures.push(`${new Date().toISOString()}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const begin = (): void => {
    // A timer that comes late is made up for, so that the rate holds on a busy machine.
    const due = ((performance.now() - startedAt) / 1000) * perSecond;
    for (; count < due; count++) {
      const handshake = one().finally(() => running.delete(handshake));
      running.add(handshake);
    }
  };
  const timer = setInterval(begin, 1000 / perSecond);
  return {
    firstWith: (serial) => first.get(serial),
    async stop() {
      clearInterval(timer);
      const seconds = (performance.now() - startedAt) / 1000;
      await Promise.all(running);
      return { handshakes: count, failures, perSecond: count / seconds, serials: [...first.keys()] };
    },
  };
}
