import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { KeyedMutex } from '../lib/mutex.ts';
import { type PrivateKey, readPkcs8 } from './private-key.ts';

/** Sizes of RSA keys that can be generated, in bits. */
export type RsaKeySize = 2048 | 3072 | 4096;

const generate = promisify(generateKeyPair);

/** Allows one generation at a time in the process, so three of libuv's four threads stay free. */
const turns = new KeyedMutex();

/**
 * Generates an RSA key with exponent 65537 on one of libuv's threads, one at a time in the process, without blocking the
 * event loop (docs/adr/0010-rsa-keys.md). Takes from 0.1 to several seconds. Rejects at once with the signal's reason,
 * though OpenSSL cannot be stopped: the next caller waits until it has finished.
 */
export async function generateRsaKey(bits: RsaKeySize, signal: AbortSignal): Promise<PrivateKey> {
  signal.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([aborted, turns.run('rsa', () => make(bits), signal)]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function make(modulusLength: RsaKeySize): Promise<PrivateKey> {
  const { privateKey } = await generate('rsa', { modulusLength, publicExponent: 65_537 });
  // Read it like any foreign key, which checks its numbers before a certificate is requested for it.
  return readPkcs8(privateKey.export({ type: 'pkcs8', format: 'der' }));
}
