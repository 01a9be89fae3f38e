import { expect, test } from 'vitest';
import type { KubeObject } from '../../kube/objects.ts';
import { IssuerKinds } from './issuer-kinds.ts';
import { type Answer, LIST_AGAIN, startKinds } from '../../../test/support/kube/operator-kinds.ts';

const KEY = 'TinyCertClusterIssuer:ca';
const ca: KubeObject = { metadata: { name: 'ca', uid: 'u', resourceVersion: '1' } };

async function clusterIssuers(answer: Answer, objects: readonly KubeObject[] = []) {
  const {
    informers,
    clock,
    answer: reply,
  } = startKinds({ answers: { tinycertclusterissuers: 'unreachable' } });
  reply('tinycertclusterissuers', answer, objects);
  const kinds = new IssuerKinds(informers);
  await clock.advance(LIST_AGAIN);
  return kinds;
}

test.each<[string, Answer, KubeObject[], exists: boolean, isInstalled: boolean]>([
  ['that is there', 'served', [ca], true, true],
  ['that is not there', 'served', [], false, true],
  ['whose kind is not installed', 'not installed', [], true, false],
  ['whose kind cannot be listed yet', 'unreachable', [], true, true],
])('an issuer %s', async (_, answer, objects, exists, isInstalled) => {
  const kinds = await clusterIssuers(answer, objects);
  expect([kinds.exists(KEY), kinds.isInstalled(KEY)]).toEqual([exists, isInstalled]);
});

test('in given namespaces no cluster-scoped issuer exists', () => {
  const { informers } = startKinds({ namespaces: ['a'] });
  const kinds = new IssuerKinds(informers);
  expect([kinds.exists(KEY), kinds.isInstalled(KEY)]).toEqual([false, true]);
});

test('the issuers in the caches are listed with their keys', async () => {
  expect([...(await clusterIssuers('served', [ca])).watched()]).toMatchObject([{ key: KEY, issuer: ca }]);
  expect([...(await clusterIssuers('not installed')).watched()]).toEqual([]);
});
