import { createHook } from 'node:async_hooks';
import { afterAll, describe, expect, test } from 'vitest';
import { Vectors } from '../../test/support/x509/x509-vectors.ts';
import { generateRsaKey } from './generate-rsa-key.ts';
import { readPrivateKey } from './private-key.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());

const never = new AbortController().signal;

describe('a generated RSA key', () => {
  test.each([2048, 3072, 4096] as const)(
    'has %i bits and the exponent 65537, for OpenSSL too',
    async (bits) => {
      const key = await generateRsaKey(bits, never);
      const pem = key.toPkcs8();
      const shown = vectors.openssl('rsa', '-check', '-noout', '-text', '-in', vectors.write('key', pem));

      expect(shown).toContain(`Private-Key: (${bits} bit, 2 primes)`);
      expect(shown).toContain('publicExponent: 65537 (0x10001)');
      expect(shown).toContain('RSA key ok');
      expect(readPrivateKey(pem).toPublicKey().equals(key.toPublicKey())).toBe(true);
    },
  );

  test('is a different one each time', async () => {
    const keys = await Promise.all([generateRsaKey(2048, never), generateRsaKey(2048, never)]);

    expect(new Set(keys.map((key) => key.toPkcs8())).size).toBe(2);
  });

  test('does not block the event loop', async () => {
    let turns = 0;
    let next: NodeJS.Immediate | undefined;
    const turn = (): void => {
      turns += 1;
      next = setImmediate(turn);
    };
    turn();
    await generateRsaKey(3072, never);
    clearImmediate(next);

    expect(turns).toBeGreaterThan(5);
  });

  test('is generated alone, and the next one waits for it', async () => {
    const seen: string[] = [];
    const jobs = new Set<number>();
    const hook = createHook({
      init(id, type) {
        if (type !== 'KEYPAIRGENREQUEST') return;
        jobs.add(id);
        seen.push('begins');
      },
      before(id) {
        if (jobs.has(id)) seen.push('ends');
      },
    }).enable();
    await Promise.all([1, 2, 3].map(() => generateRsaKey(2048, never)));
    hook.disable();

    expect(seen).toEqual(['begins', 'ends', 'begins', 'ends', 'begins', 'ends']);
  });
});

describe('an abort', () => {
  const reason = new Error('enough');

  test('before the call rejects, and no key is generated', async () => {
    await expect(generateRsaKey(2048, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('during the generation rejects at once, and the next caller gets another key', async () => {
    const stop = new AbortController();
    const unwanted = generateRsaKey(4096, stop.signal);
    const waiting = generateRsaKey(2048, stop.signal);
    const wanted = generateRsaKey(2048, never);
    stop.abort(reason);

    await expect(unwanted).rejects.toBe(reason);
    await expect(waiting).rejects.toBe(reason);
    expect((await wanted).type).toBe('rsa');
  });
});
