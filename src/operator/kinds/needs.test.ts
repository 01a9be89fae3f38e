import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Metrics } from '../../metrics/registry.ts';
import { NameClaims } from '../../issuance/secret/name-claims.ts';
import { SecretWatches } from '../../account/secret-watches.ts';
import { cacertAccounts } from '../../account/cacert-accounts.ts';
import { tinycertAccounts } from '../../account/tinycert-accounts.ts';
import { WorkQueue } from '../../kube/controller/queue.ts';
import { cacertControllers } from '../cacert.ts';
import { known, type Need, synced, whenMet } from './needs.ts';
import type { Shared } from '../shared.ts';
import type { WithCAcert } from './informers.ts';
import { type Answer, LIST_AGAIN, startKinds } from '../../../test/support/kube/operator-kinds.ts';
import { tinycertControllers } from '../tinycert.ts';

function answers(answer: Answer, ...plurals: string[]): Record<string, Answer> {
  return Object.fromEntries(plurals.map((plural) => [plural, answer]));
}

/** Whether the needs are met by now. */
async function isMet(needs: readonly Need[]): Promise<boolean> {
  const end = new AbortController();
  const met = whenMet(needs, end.signal);
  end.abort();
  return met;
}

test.each<[Answer, isSynced: boolean, isKnown: boolean]>([
  ['served', true, true],
  ['not installed', false, true],
  ['forbidden', false, false],
  ['unreachable', false, false],
  ['hanging', false, false],
])(
  'a kind whose list is %s meets the need to be in sync: %s, to be known: %s',
  async (answer, ...expected) => {
    const { informers, clock } = startKinds({ answers: answers(answer, 'tinycertissuers') });
    await clock.advance(LIST_AGAIN);
    expect([await isMet([synced(informers.issuers)]), await isMet([known(informers.issuers)])]).toEqual(
      expected,
    );
  },
);

test('needs are met at the moment at which the last kind is listed', async () => {
  const { informers, clock, answer } = startKinds({ answers: answers('not installed', 'tinycertissuers') });
  const met: string[] = [];
  void whenMet([synced(informers.secrets), synced(informers.issuers)], new AbortController().signal).then(
    () => met.push('both'),
  );
  await clock.advance(LIST_AGAIN);
  expect(met).toEqual([]);
  answer('tinycertissuers', 'served');
  await clock.advance(LIST_AGAIN);
  expect(met).toEqual(['both']);
});

test('who waits for needs learns of the stop', async () => {
  const { informers } = startKinds({ answers: answers('hanging', 'secrets') });
  const end = new AbortController();
  const met = whenMet([synced(informers.secrets)], end.signal);
  end.abort();
  expect(await met).toBe(false);
});

/** What each controller needs, as `plural`, or `plural?` where the kind may be absent. */
function needsOfAll(namespaces?: readonly string[]): Record<string, string[]> {
  const { informers, clock, kube } = startKinds(namespaces ? { namespaces } : {});
  const shared = {
    kube,
    clock,
    metrics: {} as Metrics,
    settings: { namespaces, concurrency: 1, unclaimedWaitMs: 0, allowedEndpoints: [] },
    informers,
    accounts: tinycertAccounts({ clock, sealKey: () => Buffer.from('installation') }),
    cacertAccounts: cacertAccounts({ clock }),
    secretWatches: new SecretWatches(() => () => undefined),
    journal: { section: () => undefined },
    nameClaims: new NameClaims(),
    queueOf: (name: string) => new WorkQueue({ name, clock }),
  } as unknown as Shared & { informers: WithCAcert };
  const { controllers: tinycert } = tinycertControllers(shared);
  const { controllers: cacert } = cacertControllers(shared);
  return Object.fromEntries(
    [...tinycert, ...cacert].map(({ name, needs }) => [
      name,
      needs
        .map(({ kind, states }) => `${kind.type.plural}${states.includes('absent') ? '?' : ''}`)
        .toSorted(),
    ]),
  );
}

test('each controller waits for every kind that it decides by', () => {
  const certificate = [
    'cacertcertificates?',
    'secrets',
    'tinycertcertificates',
    'tinycertclusterissuers?',
    'tinycertissuers?',
  ];
  expect(needsOfAll()).toEqual({
    certificate,
    issuer: [...certificate, 'tinycertissuers'].toSorted(),
    clusterissuer: [...certificate, 'tinycertclusterissuers'].toSorted(),
    'issuer-in-use': ['tinycertcertificates?', 'tinycertissuers'],
    'clusterissuer-in-use': ['tinycertcertificates?', 'tinycertclusterissuers'],
    unfinalized: ['tinycertcertificates', 'tinycertclusterissuers?', 'tinycertissuers?'],
    cacertaccount: ['cacertaccounts'],
    cacertcertificate: ['cacertaccounts', 'cacertcertificates', 'secrets', 'tinycertcertificates?'],
  });
});

test('docs/metrics.md lists every controller', () => {
  const page = readFileSync('docs/metrics.md', 'utf8');
  const row = page.split('\n').find((line) => line.startsWith('| `controller`'));
  const listed = [...(row ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name).slice(1);
  expect(new Set(listed)).toEqual(new Set(Object.keys(needsOfAll())));
});

test('in given namespaces nothing waits for the cluster-scoped kind', () => {
  const needs = needsOfAll(['a']);
  expect(Object.keys(needs)).not.toContain('clusterissuer');
  expect(Object.values(needs).flat().join(' ')).not.toContain('clusterissuers');
});
