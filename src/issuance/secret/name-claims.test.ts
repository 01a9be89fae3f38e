import { expect, test } from 'vitest';
import { Store } from '../../kube/watch/store.ts';
import type { CertificateResource } from '../certificate-kind.ts';
import { NameClaims } from './name-claims.ts';

function resource(name: string, creationTimestamp: string, uid: string): CertificateResource {
  return {
    metadata: { namespace: 'ns', name, uid, creationTimestamp },
    spec: { secretName: 'tls' },
  };
}

const A = { kind: 'A' };
const B = { kind: 'B' };

/** What the resources of two kinds are told of each other. */
function told(a: CertificateResource, b: CertificateResource): (string | undefined)[] {
  const claims = new NameClaims();
  for (const [type, object] of [[A, a] as const, [B, b] as const]) {
    const store = new Store<CertificateResource>();
    claims.follow(type, store);
    store
      .openPart()
      .replace([
        { key: `ns/${object.metadata.name}`, uid: object.metadata.uid ?? '', resourceVersion: '1', object },
      ]);
  }
  return [claims.elderOf(A, a, undefined), claims.elderOf(B, b, undefined)];
}

test('the elder of two kinds has the Secret', () => {
  const young = resource('a', '2026-01-02T00:00:00Z', '1');
  const old = resource('b', '2026-01-01T00:00:00Z', '2');
  expect(told(young, old)).toEqual(['B b', undefined]);
});

test('of two with one name and age, of different kinds, one has it and not both', () => {
  const same = '2026-01-01T00:00:00Z';
  expect(told(resource('web', same, '1'), resource('web', same, '2'))).toEqual([undefined, 'A web']);
});
