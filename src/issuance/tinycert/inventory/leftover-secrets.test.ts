import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { account as own, otherAccount, ref } from '../../../../test/support/inputs/inputs.ts';
import { filesFor, tlsSecret } from '../../../../test/support/inputs/secret-files.ts';
import { AUTHORITY, type Vector, Vectors } from '../../../../test/support/x509/x509-vectors.ts';
import type { Account } from '../../../account/tinycert-account.ts';
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from '../../../api/names.ts';
import type { ObjectRef, Secret } from '../../../kube/objects.ts';
import { TinyCertError } from '../../../tinycert/index.ts';
import { LeftoverSecrets, MAX_READS } from './leftover-secrets.ts';

const { signal } = new AbortController();
const labels = { [MANAGED_LABEL]: 'true' };
const annotations = {
  [SECRET_ANNOTATIONS.certificateName]: 'web',
  [SECRET_ANNOTATIONS.issuerKind]: 'TinyCertIssuer',
  [SECRET_ANNOTATIONS.issuerName]: 'ca',
  [SECRET_ANNOTATIONS.account]: own,
  [SECRET_ANNOTATIONS.authorityId]: '1',
  [SECRET_ANNOTATIONS.certificateId]: '7',
};
const proved = { certificate: ref(7), issuerKey: 'TinyCertIssuer:ns/ca', namespace: 'ns', name: 'web' };

const vectors = new Vectors();
let root: Vector;
let leaf: Vector;
let other: Vector;
let files: Record<string, string>;
beforeAll(() => {
  root = vectors.make({ subject: '/CN=Example CA', extensions: AUTHORITY });
  leaf = vectors.make({ subject: '/CN=www.example.com', issuer: root, serial: '7' });
  other = vectors.make({ subject: '/CN=www.example.com', issuer: root, serial: '8' });
  files = filesFor(leaf, root);
});
afterAll(() => vectors.remove());

function leftover(change: Partial<Secret['metadata']> = {}): Secret {
  return tlsSecret(files, { labels, annotations, ...change });
}

/** A cluster with these Secrets, and a CA with these certificates by id. */
function setUp(secrets: Secret[], atCa: Record<number, Vector> = { 7: leaf }) {
  const present = [...secrets];
  const keyOf = ({ namespace = '', name }: Pick<ObjectRef, 'name'> & { namespace?: string }) =>
    `${namespace}/${name}`;
  let reads = 0;
  let lookups = 0;
  const find = (_: unknown, ref: ObjectRef) => {
    reads += 1;
    return Promise.resolve(present.find(({ metadata }) => keyOf(metadata) === keyOf(ref)));
  };
  const getCertificate = (id: number) => {
    lookups += 1;
    const found = atCa[id];
    return found
      ? Promise.resolve(found.cert)
      : Promise.reject(new TinyCertError('NotFound', { call: 'cert/get' }));
  };
  const watched = [...secrets];
  const leftoverSecrets = new LeftoverSecrets({
    kube: { find } as never,
    strays: () => watched.map((secret) => [keyOf(secret.metadata), secret] as const),
  });
  const account = { digest: own, client: { getCertificate } } as unknown as Account;
  const of = (...ids: number[]) =>
    leftoverSecrets.of(
      ids.map((id) => ref(id)),
      account,
      signal,
    );
  return { of, present, watched, reads: () => reads, lookups: () => lookups };
}

describe('a leftover Secret proves a certificate', () => {
  test('that it has the private key of', async () => {
    expect(await setUp([leftover()]).of(7, 9)).toEqual([proved]);
  });

  test('of a cluster issuer', async () => {
    const changed = { ...annotations, [SECRET_ANNOTATIONS.issuerKind]: 'TinyCertClusterIssuer' };
    expect(await setUp([leftover({ annotations: changed })]).of(7)).toEqual([
      { ...proved, issuerKey: 'TinyCertClusterIssuer:ca' },
    ]);
  });

  test('once, even if a copy of the Secret exists', async () => {
    const copy = leftover({ name: 'copy', uid: 'copy-uid' });
    expect(await setUp([leftover(), copy]).of(7)).toEqual([proved]);
  });

  test('if a forged Secret claims the same id', async () => {
    const forged = tlsSecret(filesFor(other, root), { name: 'a', uid: 'forged', labels, annotations });
    expect(await setUp([forged, leftover()]).of(7)).toEqual([proved]);
  });
});

describe('a Secret proves nothing', () => {
  const without = (name: string) =>
    Object.fromEntries(Object.entries(annotations).filter(([each]) => each !== name));

  test.each<[string, Partial<Secret['metadata']>]>([
    ['without our label', { labels: {} }],
    ['without the name of its resource', { annotations: without(SECRET_ANNOTATIONS.certificateName) }],
    ['without an issuer', { annotations: without(SECRET_ANNOTATIONS.issuerName) }],
    [
      'with an unknown kind of issuer',
      { annotations: { ...annotations, [SECRET_ANNOTATIONS.issuerKind]: 'Issuer' } },
    ],
    ['without a certificate id', { annotations: without(SECRET_ANNOTATIONS.certificateId) }],
    ['without an account', { annotations: without(SECRET_ANNOTATIONS.account) }],
    [
      'about the certificate of another account, which has the same id',
      { annotations: { ...annotations, [SECRET_ANNOTATIONS.account]: otherAccount } },
    ],
    [
      'with the id of another certificate',
      { annotations: { ...annotations, [SECRET_ANNOTATIONS.certificateId]: '8' } },
    ],
  ])('%s', async (_, change) => {
    expect(await setUp([leftover(change)], { 7: leaf, 8: other }).of(7, 8)).toEqual([]);
  });

  test('without usable content', async () => {
    const secret = tlsSecret({ ...files, 'tls.key': other.key }, { labels, annotations });
    expect(await setUp([secret]).of(7)).toEqual([]);
  });

  test('about a certificate that the CA does not have', async () => {
    expect(await setUp([leftover()], {}).of(7)).toEqual([]);
  });

  test('after its deletion', async () => {
    const { of, present } = setUp([leftover()]);
    present.length = 0;
    expect(await of(7)).toEqual([]);
  });
});

describe('leftover Secrets cost', () => {
  test('nothing if no certificate is in question', async () => {
    const { of, reads, lookups } = setUp([leftover()]);
    expect(await of()).toEqual([]);
    expect([reads(), lookups()]).toEqual([0, 0]);
  });

  test('one read for each version, and no call for other certificates', async () => {
    const { of, watched, present, reads, lookups } = setUp([leftover()]);
    await of(9);
    await of(9);
    expect([reads(), lookups()]).toEqual([1, 0]);
    watched[0] = present[0] = leftover({ resourceVersion: '11' });
    expect(await of(7)).toEqual([proved]);
    expect([reads(), lookups()]).toEqual([2, 1]);
  });

  test('a limited number of reads in one pass, and the next pass reads the rest', async () => {
    const secrets = Array.from({ length: MAX_READS + 5 }, (_, i) =>
      leftover({ name: `web-${i}`, uid: `uid-${i}`, labels: {} }),
    );
    const { of, reads } = setUp(secrets);
    await of(7);
    expect(reads()).toBe(MAX_READS);
    await of(7);
    expect(reads()).toBe(MAX_READS + 5);
  });
});
