import { randomBytes } from 'node:crypto';
import type { KubeClient } from '../kube/client.ts';
import { isAlreadyExists, isApiError } from '../kube/errors.ts';
import { refKey, type Secret, secrets } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';
import { AppError, TerminalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';

/** The Secret in the operator's own namespace that holds the installation's seal key. */
export const SEAL_KEY_SECRET = 'tinycert-operator-seal';

const FILE = 'key';
const BYTES = 32;

/** How long after a failure the key is read again. */
export const SEAL_KEY_AGAIN_MS = 5_000;

/** The Secret holds something else than a key. */
export class SealKeyUnusable extends AppError {
  constructor(where: string) {
    super(
      'SealKeyUnusable',
      `The Secret ${where} does not hold ${BYTES} bytes under "${FILE}": delete it, and the operator makes another one at its next start.`,
    );
  }
}

export interface SealKeyOptions {
  kube: Pick<KubeClient, 'find' | 'create'>;
  clock: Clock;
  log: Logger;
  /** The operator's own. */
  namespace: string;
}

/** The random key with which this installation seals statuses, whatever happens to its accounts. It is created once. */
export class SealKey {
  readonly #options: SealKeyOptions;
  #bytes: Buffer | undefined;

  constructor(options: SealKeyOptions) {
    this.#options = options;
  }

  /** The key. Throws a `TerminalError` before it is loaded. */
  get bytes(): Buffer {
    if (!this.#bytes) throw new TerminalError('SealKeyNotLoaded', 'The key for seals is not loaded yet.');
    return this.#bytes;
  }

  /**
   * Reads the key, or creates it if there is none: of two replicas that start together, both use the key of the first. While
   * the API server fails, it tries again; resolves without a key if the signal aborts. Rejects with `SealKeyUnusable`.
   */
  async load(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        this.#bytes = await this.#read(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!isApiError(error)) throw error;
        log.warn({ error, secret: refKey(this.#ref()) }, 'The key for seals cannot be read or created');
      }
      await clock.sleep(SEAL_KEY_AGAIN_MS, signal).catch(() => undefined);
    }
  }

  async #read(signal: AbortSignal): Promise<Buffer> {
    const { kube } = this.#options;
    const ref = this.#ref();
    const secret = (await kube.find(secrets, ref, { signal })) ?? (await create(kube, ref, signal));
    const key = Buffer.from(secret?.data?.[FILE] ?? '', 'base64');
    if (key.length !== BYTES) throw new SealKeyUnusable(refKey(ref));
    return key;
  }

  #ref(): { namespace: string; name: string } {
    return { namespace: this.#options.namespace, name: SEAL_KEY_SECRET };
  }
}

async function create(
  kube: SealKeyOptions['kube'],
  ref: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<Secret | undefined> {
  const secret: Secret = {
    apiVersion: 'v1',
    kind: secrets.kind,
    // Not the label of certificates' Secrets, which are watched.
    metadata: { ...ref, labels: { 'app.kubernetes.io/managed-by': 'tinycert-operator' } },
    type: 'Opaque',
    data: { [FILE]: randomBytes(BYTES).toString('base64') },
  };
  try {
    return await kube.create(secrets, secret, { signal });
  } catch (error) {
    if (isAlreadyExists(error)) return kube.find(secrets, ref, { signal });
    throw error;
  }
}
