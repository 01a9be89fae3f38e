import { expect, test } from 'vitest';
import { type Answer, LIST_AGAIN, startKinds } from '../../../test/support/kube/operator-kinds.ts';
import { certificates, issuers } from '../../api/kinds.ts';
import type { ResourceType } from '../../kube/objects.ts';
import { CRDS_FRESH_MS, CRDS_MISSING_FRESH_MS, readiness } from './readiness.ts';

const tinycert = ['tinycertcertificates', 'tinycertissuers', 'tinycertclusterissuers'];

function answers(answer: Answer, ...plurals: string[]): Record<string, Answer> {
  return Object.fromEntries(plurals.map((plural) => [plural, answer]));
}

/** An operator whose lists and CRDs are what a test says, with the messages of the checks that fail. */
function asking(given: Record<string, Answer>, namespaces?: readonly string[]) {
  const kinds = startKinds({ answers: given, ...(namespaces ? { namespaces } : {}) });
  const found = { absent: [] as ResourceType[], complaints: [] as string[], asked: [] as number[] };
  const checks = readiness(kinds.informers, {
    check: async (freshMs) => void found.asked.push(freshMs ?? 0),
    isAbsent: ({ kind }) => found.absent.some((type) => type.kind === kind),
    listed: ({ kind }) => void (found.absent = found.absent.filter((type) => type.kind !== kind)),
    complaints: () => found.complaints,
  });
  const failures = (): string[] =>
    Object.values(checks).flatMap((check) => {
      try {
        void check();
        return [];
      } catch (error) {
        return [(error as Error).message];
      }
    });
  return { ...kinds, found, failures };
}

function missing(plural: string, waits: string): string {
  const crd = `${plural}.tinycert-operator.io`;
  return `The CRD ${crd} is not installed: run kubectl apply -f crds/${crd}.yaml of this release. ${waits} wait until then.`;
}

const CERTIFICATES = missing(
  'tinycertcertificates',
  'TinyCertCertificates, TinyCertIssuers and TinyCertClusterIssuers',
);
const ISSUERS = missing('tinycertissuers', 'TinyCertIssuers and the certificates that name one');
const CLUSTER_ISSUERS = missing(
  'tinycertclusterissuers',
  'TinyCertClusterIssuers and the certificates that name one',
);
const NOT_SYNCED = 'The caches are not in sync with the API server.';

test.each<[string, Record<string, Answer>]>([
  ['every kind', {}],
  ['TinyCert’s kinds alone', answers('not installed', 'cacertaccounts', 'cacertcertificates')],
])('the operator is ready with %s', async (_, given) => {
  const { clock, failures } = asking(given);
  await clock.advance(LIST_AGAIN);
  expect(failures()).toEqual([]);
});

test.each<[string, Record<string, Answer>, string[]]>([
  ['before anything is listed', answers('hanging', 'secrets', ...tinycert), [NOT_SYNCED]],
  [
    'without any kind',
    answers('not installed', ...tinycert, 'cacertaccounts', 'cacertcertificates'),
    [`${CERTIFICATES} ${ISSUERS} ${CLUSTER_ISSUERS}`],
  ],
  [
    'with CAcert’s kinds alone',
    answers('not installed', ...tinycert),
    [`${CERTIFICATES} ${ISSUERS} ${CLUSTER_ISSUERS}`],
  ],
  ['without one kind of issuers', answers('not installed', 'tinycertclusterissuers'), [CLUSTER_ISSUERS]],
  ['while a kind cannot be read', answers('forbidden', 'cacertaccounts'), [NOT_SYNCED]],
  ['while the Secrets have not been listed', answers('hanging', 'secrets'), [NOT_SYNCED]],
])('the operator is not ready %s, and says what to do', async (_, given, sentences) => {
  const { clock, failures } = asking(given);
  await clock.advance(LIST_AGAIN);
  expect(failures()).toEqual(sentences);
});

test('in given namespaces the cluster-scoped kind may be missing', async () => {
  const { clock, failures } = asking(answers('not installed', 'tinycertclusterissuers'), ['a']);
  await clock.advance(LIST_AGAIN);
  expect(failures()).toEqual([]);
});

test('the operator is not ready once a look at the API server shows that a CRD has gone, though its kind was in sync', async () => {
  const { clock, found, failures } = asking({});
  await clock.advance(LIST_AGAIN);
  found.absent = [issuers];
  expect(failures()).toEqual([ISSUERS]);
  found.absent = [];
  expect(failures()).toEqual([]);
});

test('a list shows that a CRD is there, whatever the last look showed', async () => {
  const { clock, found, failures, answer } = asking(answers('not installed', 'tinycertissuers'));
  found.absent = [issuers];
  await clock.advance(LIST_AGAIN);
  expect(failures()).toEqual([ISSUERS]);

  answer('tinycertissuers', 'served');
  await clock.advance(LIST_AGAIN);
  expect(failures()).toEqual([]);
});

test('the operator is not ready while CRDs lack fields, and each is named with the command', async () => {
  const { clock, found, failures } = asking({});
  await clock.advance(LIST_AGAIN);
  found.complaints = ['The first is old.', 'The second is old.'];
  expect(failures()).toEqual(['The first is old. The second is old.']);
});

test('who asks has the CRDs looked at again: seldom, and often while one is missing', async () => {
  const { clock, found, failures } = asking({});
  await clock.advance(LIST_AGAIN);
  failures();
  found.absent = [certificates];
  failures();
  expect(found.asked).toEqual([CRDS_FRESH_MS, CRDS_MISSING_FRESH_MS]);
});
