import { expect, test } from 'vitest';
import { type Logger, silentLog } from '../../lib/log.ts';
import { allKinds } from './informers.ts';
import { reportKinds } from './report-kinds.ts';
import { type Answer, LIST_AGAIN, startKinds } from '../../../test/support/kube/operator-kinds.ts';

/** What is logged at info and above: by `reportKinds`, and by the informers themselves. */
function reporting(answers: Record<string, Answer>) {
  const [lines, informerLines]: [string[], string[]] = [[], []];
  const kinds = startKinds({ answers, log: recorder(informerLines) });
  reportKinds(allKinds(kinds.informers), recorder(lines));
  return { ...kinds, lines, informerLines };
}

function recorder(lines: string[]): Logger {
  const write = (level: string) => (_: unknown, message?: string) => void lines.push(`${level} ${message}`);
  const log: Logger = {
    ...silentLog,
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  };
  return log;
}

const MISSING =
  'error The CRD cacertaccounts.tinycert-operator.io is not installed: run kubectl apply -f crds/cacertaccounts.tinycert-operator.io.yaml of this release. CAcertAccounts and CAcertCertificates wait until then.';

test('a missing CRD is named once, with what to do and what waits', async () => {
  const { clock, answer, lines } = reporting({ cacertaccounts: 'not installed' });
  await clock.advance(100 * LIST_AGAIN);
  expect(lines).toEqual([MISSING]);

  answer('cacertaccounts', 'served');
  await clock.advance(LIST_AGAIN);
  expect(lines.slice(1)).toEqual(['info The CRD cacertaccounts.tinycert-operator.io is installed now.']);
});

test('the informer of a kind that is not installed does not warn of each list', async () => {
  const { clock, informerLines } = reporting({ cacertaccounts: 'not installed' });
  await clock.advance(100 * LIST_AGAIN);
  expect(informerLines).toEqual([]);
});

test('the informer of a kind that cannot be read warns', async () => {
  const { clock, informerLines } = reporting({ cacertaccounts: 'forbidden' });
  await clock.advance(LIST_AGAIN);
  expect(informerLines[0]).toMatch(/^warn /);
});

test('a CRD that is installed together with the operator is no error', async () => {
  const { clock, answer, lines } = reporting({ cacertaccounts: 'not installed' });
  await clock.advance(0);
  answer('cacertaccounts', 'served');
  await clock.advance(LIST_AGAIN);
  expect(lines).toEqual([]);
});

test('a missing right is named once, however long it lasts', async () => {
  const { clock, lines } = reporting({ cacertaccounts: 'forbidden' });
  await clock.advance(100 * LIST_AGAIN);
  expect(lines).toEqual(['error The operator lacks a permission: apply deploy/rbac.yaml from this release.']);
});

test('a missing CRD is named after the API server could not be reached in between', async () => {
  const { clock, answer, lines } = reporting({ cacertaccounts: 'unreachable' });
  await clock.advance(LIST_AGAIN);
  answer('cacertaccounts', 'not installed');
  await clock.advance(2 * LIST_AGAIN);
  expect(lines).toEqual(['warn Waiting for the API server', MISSING]);
});

test('an API server that cannot be reached is reported once for all kinds', async () => {
  const plurals = ['secrets', 'tinycertissuers', 'cacertaccounts'];
  const { clock, lines } = reporting(Object.fromEntries(plurals.map((plural) => [plural, 'unreachable'])));
  await clock.advance(100 * LIST_AGAIN);
  expect(lines).toEqual(['warn Waiting for the API server']);
});
