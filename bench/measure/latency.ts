import { setTimeout as sleep } from 'node:timers/promises';
import { certificates } from '../../src/api/kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { keyOf } from '../../src/kube/objects.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { isReady } from '../cluster.ts';
import { certificateBody } from '../floor/payloads.ts';
import { forEach } from '../floor/raw-loop.ts';

/** The operator has processed the echo of its last write when the next certificate comes. */
const IDLE_MS = 25;
const PATIENCE_MS = 90_000;

/**
 * Milliseconds from sending a certificate's creation until a watch shows it Ready, for each of the named certificates, `concurrency` at
 * once. With one at a time the operator is idle in between.
 */
export async function createToReady(
  kube: KubeClient,
  namespace: string,
  names: readonly string[],
  concurrency: number,
): Promise<number[]> {
  const waiting = new Map<string, (at: number) => void>();
  const watch = await CertificateWatch.open(kube, namespace, (certificate) => {
    const key = keyOf(certificate);
    const resolve = waiting.get(key);
    if (!resolve || !isReady(certificate)) return;
    waiting.delete(key);
    resolve(performance.now());
  });
  try {
    return await forEach(names, concurrency, async (name) => {
      if (concurrency === 1) await sleep(IDLE_MS);
      const start = performance.now();
      const key = `${namespace}/${name}`;
      const seen = new Promise<number>((resolve) => {
        waiting.set(key, resolve);
      });
      const ready = watch.until(seen, PATIENCE_MS, () => `${key} did not become Ready in time.`);
      await kube.create(certificates, certificateBody(namespace, name));
      return (await ready) - start;
    });
  } finally {
    await watch.close();
  }
}
