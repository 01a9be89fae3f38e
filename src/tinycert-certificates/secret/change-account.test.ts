import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { account, issued, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { TinyCertStage, TinyCertVectors } from '../../../test/support/inputs/tinycert-step.ts';
import { attemptOwner } from '../../issuance/tinycert/attempt.ts';
import { rfc3339 } from '../../issuance/status/conditions.ts';
import { readCertificate } from '../../x509/certificate.ts';
import { changeAccount } from './change-account.ts';

const vectors = new TinyCertVectors();
afterAll(() => vectors.remove());
const vector = vectors.sign('11');
const { serialNumber, notAfter } = readCertificate(vector.cert);

const [BEFORE, AFTER] = [otherAccount, account].map((each) => attemptOwner('uid', each)) as [string, string];
/** A status of an account that has another name by now. */
const status = {
  ...issued,
  ...ref(7, { account: otherAccount }),
  serialNumber,
  notAfter: rfc3339(notAfter),
};
const secret = vectors.inSecret(vector, 7);

let stage: TinyCertStage;
beforeEach(() => {
  begin();
});

function begin(texts: Readonly<{ [key: string]: string }> = {}): void {
  stage = new TinyCertStage({ vectors, texts });
  stage.atCa.set(7, { vector });
}

/** The owners of the attempts in the journal once what waits is written. */
async function owners(): Promise<string[]> {
  await stage.flush();
  return stage.journal.entryKeys.map((key) => key.slice('tinycert.entry.'.length));
}

const run = () => changeAccount(stage.work({ status, secret }));

describe('an account at another endpoint', () => {
  test('has its open attempt under its other name', async () => {
    await stage.opened({ account: otherAccount, afterId: 12 });
    expect(await run()).toEqual({ requeueAfterMs: 200 });
    expect(stage.found()?.attempt).toEqual(await stage.attempt({ afterId: 12 }));
    expect(await owners()).toEqual([AFTER]);
    expect(stage.stored().status).toMatchObject(ref(7));
  });

  test('has no attempt if there was none', async () => {
    expect(await run()).toEqual({ requeueAfterMs: 200 });
    expect(await owners()).toEqual([]);
    expect(stage.stored().status).toMatchObject(ref(7));
  });

  test('keeps the name in status while the attempt has to wait for room, and the journal wakes the resource', async () => {
    await stage.opened({ account: otherAccount });
    await stage.opened({}, 'other');
    expect(await run()).toEqual({});
    expect(stage.stored().status).toMatchObject(ref(7, { account: otherAccount }));
    expect(await owners()).toEqual([BEFORE, attemptOwner('other', account)]);
  });

  test('has one attempt if a crash left both', async () => {
    await stage.opened({ account: otherAccount });
    const { id } = await stage.opened({ requestHash: 'v1:other' });
    await run();
    expect([await owners(), stage.found()?.id]).toEqual([[AFTER], id]);
  });

  test('leaves an attempt that nobody can read where it is', async () => {
    begin({ [`tinycert.entry.${BEFORE}`]: '{' });
    expect(await run()).toEqual({ requeueAfterMs: 200 });
    expect(await owners()).toEqual([BEFORE]);
  });
});

test('the attempt at an account that the resource leaves stays there', async () => {
  stage.atCa.clear();
  await stage.opened({ account: otherAccount });
  expect(await run()).toEqual({ requeueAfterMs: 200 });
  expect(await owners()).toEqual([BEFORE]);
  expect(stage.stored().status?.formerAccounts).toMatchObject([ref(7, { account: otherAccount })]);
  expect(stage.stored().status).not.toHaveProperty('attemptId');
});

test('nothing is changed while the journal is taken over', async () => {
  const task = { ...stage.work({ status, secret }), view: undefined };
  expect(await changeAccount(task)).toBeUndefined();
  expect(stage.kube.writes).toEqual([]);
});

test('nothing is changed if the account is the one in status', async () => {
  expect(await changeAccount(stage.work({ status: issued }))).toBeUndefined();
});
