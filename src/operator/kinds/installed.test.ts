import { expect, test } from 'vitest';
import { NameClaims } from '../../issuance/secret/name-claims.ts';
import { WorkQueue } from '../../kube/controller/queue.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { cacertCertificates, certificates } from '../../api/kinds.ts';
import { onInstalled, wakeSharers } from './installed.ts';
import { type Kinds, LIST_AGAIN, startKinds } from '../../../test/support/kube/operator-kinds.ts';

function naming(name: string, secretName: string): KubeObject {
  const metadata = { namespace: 'ns', name, uid: name, resourceVersion: '1' };
  return { metadata, spec: { secretName } } as KubeObject;
}

function followClaims({ informers }: Kinds): void {
  const claims = new NameClaims();
  claims.follow(certificates, informers.certificates.store);
  claims.follow(cacertCertificates, informers.cacertCertificates.store);
}

test('a kind that is there from the start is not reported as installed', async () => {
  const { informers, clock } = startKinds();
  const installed: string[] = [];
  onInstalled(informers.issuers, () => installed.push('issuers'));
  await clock.advance(LIST_AGAIN);
  expect(installed).toEqual([]);
});

test('certificates that name the same Secret as one of a kind that is installed later are worked on again', async () => {
  const kinds = startKinds({
    answers: { cacertcertificates: 'not installed', tinycertcertificates: 'unreachable' },
  });
  const { informers, clock, answer } = kinds;
  followClaims(kinds);
  answer('tinycertcertificates', 'served', [naming('a', 'shared'), naming('b', 'own')]);
  const queue = new WorkQueue({ name: 'test', clock });
  wakeSharers(informers.cacertCertificates, informers.certificates, queue);
  await clock.advance(LIST_AGAIN);
  expect(queue.depth).toBe(0);

  answer('cacertcertificates', 'served', [naming('c', 'shared')]);
  await clock.advance(LIST_AGAIN);
  expect((await queue.next()).key).toBe('ns/a');
  expect(queue.depth).toBe(0);
});
