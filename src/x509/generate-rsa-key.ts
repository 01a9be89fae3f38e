import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { KeyedMutex } from '../lib/mutex.ts';
import { type PrivateKey, readPkcs8 } from './private-key.ts';

/** Sizes of RSA keys that can be made, in bits. */
export type RsaKeySize = 2048 | 3072 | 4096;

const generate = promisify(generateKeyPair);

/** Held by whoever makes a key: one at a time in the process, so that three of libuv's four threads stay free. */
const turns = new KeyedMutex();

/**
 * Makes an RSA key with exponent 65537 on one of libuv's threads, one at a time in the process; the event loop goes on
 * meanwhile (docs/adr/0010-rsa-keys.md). Takes 0.1 to several seconds. Rejects with the signal's reason, at once even if
 * OpenSSL is at work: that cannot be stopped, and whoever comes next waits for its end.
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
  // Read back like a key of anybody else, so that its numbers are checked before anything is asked for it.
  return readPkcs8(privateKey.export({ type: 'pkcs8', format: 'der' }));
}
