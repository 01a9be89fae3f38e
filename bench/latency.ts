import { setTimeout as sleep } from 'node:timers/promises';
import { certificates, type TinyCertCertificate } from '../src/api/kinds.ts';
import type { KubeClient } from '../src/kube/client.ts';
import { keyOf } from '../src/kube/objects.ts';
import { watchObjects } from '../src/kube/watch.ts';
import { isReady } from './cluster.ts';
import { BenchError } from './errors.ts';
import { certificateBody, certificateNames } from './payloads.ts';
import { forEach } from './raw-loop.ts';

/** The operator's last echo has passed when the next certificate comes. */
const IDLE_MS = 25;
const PATIENCE_MS = 90_000;

/**
 * Milliseconds from sending a certificate's creation until a watch shows it Ready, for each of `count` certificates, `concurrency` at
 * once. With one at a time the operator is idle in between.
 */
export async function createToReady(
  kube: KubeClient,
  namespace: string,
  count: number,
  concurrency: number,
): Promise<number[]> {
  const watcher = await ReadyWatch.open(kube, namespace);
  try {
    return await forEach(certificateNames(count), concurrency, async (name) => {
      if (concurrency === 1) await sleep(IDLE_MS);
      const start = performance.now();
      const ready = watcher.ready(`${namespace}/${name}`);
      await kube.create(certificates, certificateBody(namespace, name));
      return (await ready) - start;
    });
  } finally {
    await watcher.close();
  }
}

/** Tells when a certificate is first seen Ready. */
class ReadyWatch {
  readonly #waiting = new Map<string, (at: number) => void>();
  readonly #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #fail: (error: Error) => void = () => undefined;
  readonly #failed: Promise<never>;

  private constructor() {
    this.#failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
  }

  static async open(kube: KubeClient, namespace: string): Promise<ReadyWatch> {
    const watch = new ReadyWatch();
    const { resourceVersion } = await kube.list(certificates, { namespace });
    const options = {
      namespace,
      resourceVersion,
      timeoutSeconds: 600,
      idleMs: 600_000,
      signal: watch.#stop.signal,
    };
    await new Promise<void>((opened) => {
      watch.#ended = watchObjects(kube.transport, certificates, options, {
        opened,
        event: (event) => {
          if (event.type !== 'BOOKMARK') watch.#see(event.object);
        },
      }).then(
        () => watch.#fail(new BenchError('The watch ended.')),
        (error: Error) => watch.#fail(error),
      );
      void watch.#failed.catch(() => opened());
    });
    return watch;
  }

  /** The time at which the certificate was seen Ready. */
  async ready(key: string): Promise<number> {
    const patience = new AbortController();
    const late = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).then((): never => {
      throw new BenchError(`${key} did not become Ready in time.`);
    });
    late.catch(() => undefined);
    const seen = new Promise<number>((resolve) => {
      this.#waiting.set(key, resolve);
    });
    try {
      return await Promise.race([seen, this.#failed, late]);
    } finally {
      patience.abort();
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  #see(certificate: TinyCertCertificate): void {
    const key = keyOf(certificate);
    const resolve = this.#waiting.get(key);
    if (!resolve || !isReady(certificate)) return;
    this.#waiting.delete(key);
    resolve(performance.now());
  }
}
