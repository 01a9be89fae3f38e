import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  account,
  attempt,
  authority,
  issued,
  otherAccount,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import { TinyCertStage, TinyCertVectors } from '../../../test/support/inputs/tinycert-step.ts';
import { Gate } from '../../account/gate/gate.ts';
import { Account } from '../../account/tinycert-account.ts';
import type { FormerAccount } from '../../api/tinycert/certificate-status.ts';
import { quietAfter } from '../../issuance/attempt/timing.ts';
import { conditionOf } from '../../issuance/status/conditions.ts';
import { attemptOwner } from '../../issuance/tinycert/attempt.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { isSealed, sealOf } from '../../issuance/tinycert/seal.ts';
import { kubeError } from '../../../test/support/inputs/cacert-step.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { workAtFormerAccounts } from './former-accounts.ts';

const vectors = new TinyCertVectors();
afterAll(() => vectors.remove());
const [one, two] = ['11', '12'].map((serial) => vectors.sign(serial)) as [
  ReturnType<typeof vectors.sign>,
  ReturnType<typeof vectors.sign>,
];

const there = { account: otherAccount };
const OWNER = attemptOwner('uid', otherAccount);
const KEY = `tinycert.entry.${OWNER}`;
const QUIET_MS = quietAfter(tinycertKind.timing);

let stage: TinyCertStage;
beforeEach(() => {
  begin();
});

function begin(texts: Readonly<{ [key: string]: string }> = {}): void {
  stage = new TinyCertStage({ vectors, texts });
  reach();
}

/** Another issuer of the namespace has the former account. */
function reach(): void {
  const { client } = stage.account;
  const gate = new Gate({ limit: 2, clock: stage.clock, random: () => 0.5 });
  const other = new Account({ digest: otherAccount, client, gate, apiKey: 'other', sealKey: 'installation' });
  const key = 'TinyCertIssuer:ns/other';
  const issuer = {
    ...stage.issuer,
    key,
    account: other,
    authority: { ...authority, ...there, name: 'Other' },
  };
  stage.deps.directory.set(key, { ready: true, issuer });
}

/** A part of a status that was sealed at the former account. */
function sealed(left: FormerAccount): FormerAccount {
  return { ...left, seal: sealOf(stage.account, 'uid', left) };
}

function run(formerAccounts: FormerAccount[] = []): Promise<ReconcileResult> {
  const status = { ...issued, ...(formerAccounts.length > 0 ? { formerAccounts } : {}) };
  return workAtFormerAccounts(stage.work({ status }));
}

/** What is left at the former account, in status. */
function left(): FormerAccount[] {
  return stage.stored().status?.formerAccounts ?? [];
}

function pending(): string | undefined {
  return conditionOf(stage.stored().status?.conditions, 'FormerAccountPending')?.reason;
}

async function entries(): Promise<string[]> {
  await stage.flush();
  return stage.journal.entryKeys;
}

describe('accountOfEntry: an attempt at an account that the resource has left', () => {
  test('is waited for until nothing of it can happen any more', async () => {
    await stage.opened(there);
    expect(await run()).toEqual({ requeueAfterMs: QUIET_MS });
    expect([await entries(), stage.kube.writes]).toEqual([[KEY], []]);
  });

  test('is concluded there, and what it bought becomes a former certificate there', async () => {
    await stage.opened(there);
    stage.atCa.set(9, { vector: one });
    await stage.clock.advance(QUIET_MS);
    await run();
    expect(left()).toMatchObject([{ ...there, formerCertificates: [ref(9, there)] }]);
    expect([await entries(), stage.records, pending()]).toEqual([[], [], undefined]);
    for (const each of left())
      expect(isSealed(stage.account, { metadata: stage.stored().metadata, status: each })).toBe(true);
  });

  test('is concluded beside what the resource has there', async () => {
    await stage.opened(there);
    stage.atCa.set(9, { vector: one });
    await stage.clock.advance(QUIET_MS);
    await run([sealed({ ...there, formerCertificates: [ref(3, there)] })]);
    expect(left()).toMatchObject([{ formerCertificates: [ref(3, there), ref(9, there)] }]);
    expect(await entries()).toEqual([]);
  });

  test('is on record if nobody can tell what it bought', async () => {
    await stage.opened(there);
    stage.atCa.set(9, { vector: one });
    stage.atCa.set(10, { vector: two });
    await stage.clock.advance(QUIET_MS);
    await run();
    expect([left(), await entries()]).toEqual([[], []]);
    expect(stage.records).toEqual(['released 9 Undecided', 'released 10 Undecided', 'abandoned uid']);
  });

  test.each<[string, Parameters<TinyCertStage['opened']>[0], (id: string) => void]>([
    ['its entry says what it bought', { certificateId: 9 }, () => undefined],
    [
      'this process knows what it bought',
      {},
      (id) => stage.deps.attempts.bought(OWNER, id, 0, ref(9, there)),
    ],
  ])('is concluded at once if %s', async (_, change, know) => {
    const { id } = await stage.opened({ ...there, ...change });
    know(id);
    await run();
    expect(left()).toMatchObject([{ formerCertificates: [ref(9, there)] }]);
    expect(await entries()).toEqual([]);
  });

  test('ends without a trace if it was not sent', async () => {
    const { id } = await stage.opened(there);
    stage.deps.attempts.prepared(OWNER, id, 0);
    await run();
    expect([left(), await entries(), stage.records, stage.kube.writes]).toEqual([[], [], [], []]);
  });

  test('stays until the status says what it bought', async () => {
    await stage.opened({ ...there, certificateId: 9 });
    stage.kube.onWrite = () => {
      throw kubeError(409, 'Conflict');
    };
    await expect(run()).rejects.toMatchObject({ status: 409 });
    expect(await entries()).toEqual([KEY]);
  });

  test('namedDropped: goes at once if what is left there names it under its seal', async () => {
    const { id } = await stage.opened(there);
    await run([sealed({ ...there, attemptId: id, formerCertificates: [ref(3, there)] })]);
    expect([await entries(), stage.records]).toEqual([[], []]);
  });

  test('stays, and that is said, while no issuer has the account', async () => {
    await stage.opened(there);
    stage.deps.directory.delete('TinyCertIssuer:ns/other');
    await run();
    expect([await entries(), pending(), stage.events]).toEqual([
      [KEY],
      'FormerAccountUnavailable',
      ['FormerAccountUnavailable'],
    ]);
  });

  test.each([
    ['whose seal is broken', 'broken'],
    ['whose seal holds', undefined],
  ])('is none if the resource uses the account again, beside a part of its status %s', async (_, seal) => {
    await stage.opened();
    stage.atCa.set(9, { vector: one });
    await stage.clock.advance(QUIET_MS);
    const part = { account, formerCertificates: [ref(3)] };
    await run([seal === undefined ? sealed(part) : { ...part, seal }]);
    expect([await entries(), stage.records]).toEqual([
      [`tinycert.entry.${attemptOwner('uid', account)}`],
      [],
    ]);
  });

  describe('if the seal of what is left there is broken', () => {
    const broken = (attemptId: string): FormerAccount => ({
      ...there,
      attemptId,
      formerCertificates: [ref(3, there)],
      seal: 'broken',
    });

    test('stays while it may have an effect, and that is said', async () => {
      const { id } = await stage.opened(there);
      expect(await run([broken(id)])).toEqual({ requeueAfterMs: QUIET_MS });
      expect([await entries(), pending(), stage.events]).toEqual([[KEY], 'SealBroken', ['SealBroken']]);
    });

    test('is on record then, since an open one hides from the inventory what others bought', async () => {
      const { id } = await stage.opened(there);
      await stage.clock.advance(QUIET_MS);
      await run([broken(id)]);
      expect([await entries(), stage.records, pending(), left()]).toEqual([
        [],
        ['abandoned uid'],
        'SealBroken',
        [broken(id)],
      ]);
    });

    test('is reported by what it is known to have bought', async () => {
      const { id } = await stage.opened({ ...there, certificateId: 8 });
      await stage.clock.advance(QUIET_MS);
      await run([broken(id)]);
      expect([await entries(), stage.records]).toEqual([[], ['released 8 Undecided']]);
    });
  });

  test('stays, and a person is told what to delete, if nobody can read it', async () => {
    begin({ [KEY]: '{' });
    await run();
    const told = conditionOf(stage.stored().status?.conditions, 'FormerAccountPending');
    expect(told?.reason).toBe('AttemptUnreadable');
    expect(told?.message).toContain(KEY);
    expect([await entries(), stage.events]).toEqual([[KEY], ['AttemptUnreadable']]);
  });

  test('is left alone while the issuer is not ready, since it may be at its account', async () => {
    await stage.opened({ ...there, certificateId: 9 });
    const notReady = { ready: false, reason: 'x', message: 'x' } as const;
    expect(await workAtFormerAccounts(stage.work({ status: issued, issuer: notReady }))).toEqual({});
    expect([await entries(), stage.kube.writes]).toEqual([[KEY], []]);
  });

  test('waits for the journal, which wakes the resource', async () => {
    const task = { ...stage.work({ status: issued }), view: undefined };
    expect(await workAtFormerAccounts(task)).toEqual({});
  });
});

test('the attempt at the account that the resource uses is not concluded here', async () => {
  const { id } = await stage.opened({ certificateId: 9, requestHash: attempt.requestHash });
  expect(await run()).toEqual({});
  expect([await entries(), stage.found('uid', account)?.id, stage.kube.writes]).toEqual([
    [`tinycert.entry.${attemptOwner('uid', account)}`],
    id,
    [],
  ]);
});
