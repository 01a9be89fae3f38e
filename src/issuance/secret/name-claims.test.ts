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

/** The owners that resources of two kinds see of their Secret. */
function eldersOf(a: CertificateResource, b: CertificateResource): (string | undefined)[] {
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

test('the older of two resources has the Secret, whatever their kinds', () => {
  const young = resource('a', '2026-01-02T00:00:00Z', '1');
  const old = resource('b', '2026-01-01T00:00:00Z', '2');
  expect(eldersOf(young, old)).toEqual(['B b', undefined]);
});

test('of two resources of one name and age but different kinds, exactly one has the Secret', () => {
  const same = '2026-01-01T00:00:00Z';
  expect(eldersOf(resource('web', same, '1'), resource('web', same, '2'))).toEqual([undefined, 'A web']);
});
