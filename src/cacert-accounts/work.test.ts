import { describe, expect, test } from 'vitest';
import { cacertAccount, statusRecorder } from '../../test/support/inputs/accounts.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { Outcome } from '../account/act.ts';
import { CAcertLogin } from '../account/cacert-account.ts';
import { Gate } from '../account/gate/gate.ts';
import { MAX_LENGTH, MAX_SHOWN } from '../api/cacert/account-status.ts';
import type { CAcertAccountStatus } from '../api/cacert/account-status.ts';
import type { CAcertAccount } from '../api/kinds.ts';
import type { AccountDetails, CAcertClient } from '../cacert/index.ts';
import { type Bundle, CAcertDirectory, type ReadyCAcertAccount } from '../issuance/cacert/directory.ts';
import { LastWritten } from '../issuance/status/last-written.ts';
import { silentLog } from '../lib/log.ts';
import type { Deps } from './deps.ts';
import { workOf } from './work.ts';

const KEY = 'CAcertAccount:ns/ca';
const FAULT = { reason: 'CredentialsRejected', message: 'CAcert refuses the login.' };
const bundle: Bundle = { roots: [], intermediates: [] };
const details: AccountDetails = {
  names: ['A B'],
  emails: ['b@x.org', 'a@x.org'],
  codeSigning: false,
  encoding: 'utf8',
};

function setup(found: AccountDetails = details) {
  const clock = new VirtualClock('2026-01-01T00:00:00Z');
  const client = { getAccount: async () => found } as unknown as CAcertClient;
  const account = new CAcertLogin(client, new Gate({ limit: 1, clock }));
  const { kube, warn, patches, events } = statusRecorder();
  const work = workOf({
    kube,
    warn,
    clock,
    crds: { fit: true, check: async () => undefined },
    written: new LastWritten<CAcertAccount>({ clock }),
    directory: new CAcertDirectory(),
  } as unknown as Deps);
  const ready: ReadyCAcertAccount = { key: KEY, account, details: found, bundle };
  const { signal } = new AbortController();
  const report = async (
    outcome: Outcome<{ issuer: ReadyCAcertAccount }>,
    status?: CAcertAccountStatus,
  ): Promise<(CAcertAccountStatus & object) | undefined> => {
    const resource = cacertAccount(status ? { status } : {});
    await work.report(resource, outcome, { signal, log: silentLog, reconcileID: '1', failures: 0 });
    return patches.splice(0)[0];
  };
  return { account, ready, report, events, signal, work };
}

describe('a check', () => {
  test('finds the details of the account, with the bundle of the plan', async () => {
    const { account, ready, signal, work } = setup();
    const plan = { connection: {} as never, bundle };
    expect(await work.probe(cacertAccount(), account, plan, signal)).toEqual({ issuer: ready });
  });

  test('that is skipped takes the bundle of the plan all the same', () => {
    const { ready, work } = setup();
    const next: Bundle = { roots: [], intermediates: [] };
    const found = work.known(cacertAccount(), ready, { connection: {} as never, bundle: next });
    expect(found?.issuer.bundle).toBe(next);
    expect(found?.issuer.details).toBe(details);
  });
});

describe('status', () => {
  const outcome = (ready: ReadyCAcertAccount) =>
    ({
      is: 'ready',
      account: ready.account,
      found: { issuer: ready },
      isFresh: false,
      why: undefined,
    }) as const;

  test('shows what CAcert knows, the addresses in order', async () => {
    const { ready, report } = setup();
    expect(await report(outcome(ready))).toMatchObject({
      conditions: [
        {
          status: 'True',
          reason: 'Ready',
          message: 'CAcert accepts the login; the account has 2 verified e-mail addresses.',
        },
      ],
      names: ['A B'],
      emails: ['a@x.org', 'b@x.org'],
      codeSigning: false,
      authorities: [],
    });
  });

  test('speaks of one address', async () => {
    const { ready, report } = setup({ ...details, emails: ['a@x.org'] });
    const message = 'CAcert accepts the login; the account has one verified e-mail address.';
    expect(await report(outcome(ready))).toMatchObject({ conditions: [{ message }] });
  });

  test('is not written if it shows all of it already, in whatever order CAcert lists the addresses', async () => {
    const { ready, report } = setup();
    const status = await report(outcome(ready));
    const again = { ...ready, details: { ...details, emails: details.emails.toReversed() } };
    expect(await report(outcome(again), status)).toBeUndefined();
    expect(await report({ is: 'unchecked', account: ready.account, issuer: ready }, status)).toBeUndefined();
  });

  test('has no more than the CRD allows', async () => {
    const emails = Array.from({ length: MAX_SHOWN + 1 }, (_, i) => `${i}@x.org`);
    const { ready, report } = setup({ ...details, names: ['n'.repeat(MAX_LENGTH + 1)], emails });
    const status = await report(outcome(ready));
    expect(status?.emails).toHaveLength(MAX_SHOWN);
    expect(status?.names?.[0]).toHaveLength(MAX_LENGTH);
  });

  test.each([
    ['disconnected', () => ({ is: 'disconnected', why: FAULT }) as const],
    ['stopped', (account: CAcertLogin) => ({ is: 'stopped', account, why: FAULT }) as const],
    [
      'failed',
      (account: CAcertLogin) =>
        ({
          is: 'failed',
          account,
          why: { ...FAULT, stops: 'login', isRefused: true, isInAnswer: false },
          nextCheckMs: 1,
        }) as const,
    ],
  ])('of an account that is %s keeps what it shows, and makes one event', async (_, of) => {
    const { account, ready, report, events } = setup();
    const before = await report(outcome(ready));
    const status = await report(of(account), before);
    expect(status).toMatchObject({
      ...before,
      conditions: [{ type: 'Ready', status: 'False', ...FAULT }],
    });
    await report(of(account), status);
    expect(events).toEqual([[FAULT.reason, FAULT.message]]);
  });

  test('has the fault of the last issuance with what the check found', async () => {
    const { ready, report } = setup();
    expect(await report({ ...outcome(ready), why: FAULT })).toMatchObject({
      conditions: [{ status: 'False', ...FAULT }],
      names: ['A B'],
    });
  });
});
