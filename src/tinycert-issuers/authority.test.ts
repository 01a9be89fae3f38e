import { afterAll, describe, expect, test } from 'vitest';
import { accountOf } from '../../test/support/inputs/accounts.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { AUTHORITY, Vectors } from '../../test/support/x509/x509-vectors.ts';
import type { IssuerSpec } from '../api/tinycert/issuer-spec.ts';
import type { AuthoritySummary } from '../tinycert/index.ts';
import { authorityMaterial, pickAuthority } from './authority.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());

const all: AuthoritySummary[] = [
  { id: 1, name: 'Example' },
  { id: 2, name: 'Twins' },
  { id: 3, name: 'Twins' },
];
const inventory = 'It has 1 "Example", 2 "Twins", 3 "Twins".';

test.each<[IssuerSpec['authority'], object]>([
  [{ name: 'Example' }, { id: 1, name: 'Example' }],
  [{ id: 3 }, { id: 3, name: 'Twins' }],
  [
    { name: 'Twins' },
    {
      reason: 'AuthorityAmbiguous',
      message: 'The account has 2 authorities named "Twins": set authority.id to one of 2, 3.',
    },
  ],
  [
    { name: 'example' },
    {
      reason: 'AuthorityNotFound',
      message: `The account has no authority named "example". ${inventory}`,
    },
  ],
  [
    { id: 9 },
    { reason: 'AuthorityNotFound', message: `The account has no authority with the id 9. ${inventory}` },
  ],
])('the authority %j', (wanted, picked) => {
  expect(pickAuthority(wanted, all)).toEqual(picked);
});

test.each([
  ['without authorities', 0, /It has none yet: create one at TinyCert\.$/],
  ['with ten authorities', 10, /^The account .* It has 1 "CA 1", .*, 10 "CA 10"\.$/],
  ['with more', 11, /, 10 "CA 10" and others\.$/],
])('the message for an account %s lists at most ten', (_, count, message) => {
  const many = Array.from({ length: count }, (__, i) => ({ id: i + 1, name: `CA ${i + 1}` }));
  expect(pickAuthority({ name: 'Example' }, many)).toMatchObject({
    message: expect.stringMatching(message),
  });
});

describe('the material of an authority', () => {
  const { cert } = vectors.make({
    subject: '/C=NL/O=Example/CN=Root',
    extensions: AUTHORITY,
    curve: 'P-256',
  });

  function setup(answers: (string | Error)[]) {
    const calls: number[] = [];
    const account = accountOf(new VirtualClock(), {
      getAuthority: async (id) => ({
        id,
        subject: { country: 'NL', organization: 'Example', commonName: 'Root' },
        hashAlgorithm: 'sha256',
      }),
      getAuthorityCertificate: async (id) => {
        calls.push(id);
        const answer = answers[calls.length - 1] ?? cert;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    return { calls, material: (id = 1) => authorityMaterial(account, id) };
  }

  test('is its certificate, its hash, and its subject without the common name', async () => {
    const { material } = setup([]);
    const { root, ...rest } = await material();
    expect(root.names.commonName).toBe('Root');
    expect(rest).toEqual({ subject: { country: 'NL', organization: 'Example' }, hashAlgorithm: 'sha256' });
  });

  test('is fetched and read once for each authority of an account', async () => {
    const { calls, material } = setup([]);
    const [first, second] = await Promise.all([material(), material()]);
    expect(second).toBe(first);
    expect(await material()).toBe(first);
    await material(2);
    expect(calls).toEqual([1, 2]);
  });

  test.each([
    ['a failure', new Error('down'), 'down'],
    ['an answer that cannot be read', 'no PEM', /PEM/],
  ])('is fetched again after %s', async (_, answer, message) => {
    const { calls, material } = setup([answer]);
    await expect(material()).rejects.toThrow(message);
    await expect(material()).resolves.toMatchObject({ hashAlgorithm: 'sha256' });
    expect(calls).toHaveLength(2);
  });
});
