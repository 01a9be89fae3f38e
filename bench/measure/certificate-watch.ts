import { setTimeout as sleep } from 'node:timers/promises';
import { certificates, type TinyCertCertificate } from '../../src/api/kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { watchObjects } from '../../src/kube/watch/watch.ts';
import { BenchError } from '../errors.ts';

/** No part of the bench waits longer. */
const LASTS_SECONDS = 1200;

/** One watch of a namespace's certificates. */
export class CertificateWatch {
  readonly #stop = new AbortController();
  readonly #onObject: (certificate: TinyCertCertificate) => void;
  readonly #broken = Promise.withResolvers<never>();
  #ended: Promise<void> = Promise.resolve();

  private constructor(onObject: (certificate: TinyCertCertificate) => void) {
    this.#onObject = onObject;
    // `until` reports it.
    this.#broken.promise.catch(() => undefined);
  }

  /** Calls `onObject` with each certificate that is added or changed from now on. */
  static async open(
    kube: KubeClient,
    namespace: string,
    onObject: (certificate: TinyCertCertificate) => void,
  ): Promise<CertificateWatch> {
    const watch = new CertificateWatch(onObject);
    const { resourceVersion } = await kube.list(certificates, { namespace, limit: 1 });
    const options = {
      namespace,
      resourceVersion,
      timeoutSeconds: LASTS_SECONDS,
      idleMs: LASTS_SECONDS * 1000,
      signal: watch.#stop.signal,
    };
    await new Promise<void>((opened) => {
      watch.#ended = watchObjects(kube.transport, certificates, options, {
        opened,
        event: (event) => {
          if (event.type !== 'BOOKMARK') watch.#onObject(event.object);
        },
      }).then(
        () => watch.#broken.reject(new BenchError('The watch ended.')),
        (error: Error) => watch.#broken.reject(error),
      );
      void watch.#broken.promise.catch(() => opened());
    });
    return watch;
  }

  /** Waits for something that the watch shows. Throws a BenchError if it does not come in time or the watch breaks. */
  async until<T>(seen: Promise<T>, patienceMs: number, complaint: () => string): Promise<T> {
    const patience = new AbortController();
    const late = sleep(patienceMs, undefined, { signal: patience.signal }).then((): never => {
      throw new BenchError(complaint());
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([seen, this.#broken.promise, late]);
    } finally {
      patience.abort();
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}
