import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { kubeError } from '../../test/support/inputs/cacert-step.ts';
import { account, attempt, issued, otherAccount, ref } from '../../test/support/inputs/inputs.ts';
import { TinyCertStage, TinyCertVectors } from '../../test/support/inputs/tinycert-step.ts';
import type { CertificateStatus } from '../api/tinycert/certificate-status.ts';
import { conditionOf } from '../issuance/status/conditions.ts';
import { attemptOwner } from '../issuance/tinycert/attempt.ts';
import { isSealed } from '../issuance/tinycert/seal.ts';
import { JournalRefused, TermOver } from '../journal/errors.ts';
import type { ReconcileResult } from '../kube/controller/controller.ts';
import { act } from './act.ts';
import type { Plan } from './decide/types.ts';

const vectors = new TinyCertVectors();
afterAll(() => vectors.remove());
const one = vectors.sign('11');
const two = vectors.sign('12');

const OWNER = attemptOwner('uid', account);
const KEY = `tinycert.entry.${OWNER}`;
const brandNew = { status: {}, sealed: false, secret: { state: 'absent' } } as const;
const otherSpec = { specHash: 'v1:other' };

let stage: TinyCertStage;
beforeEach(() => {
  stage = new TinyCertStage({ vectors });
});

function run(plan: Plan, given: Parameters<TinyCertStage['work']>[0] = brandNew): Promise<ReconcileResult> {
  return act(stage.work(given), plan);
}

/** The former certificates in status. */
function former(): number[] {
  return (stage.stored().status?.formerCertificates ?? []).map(({ certificateId }) => certificateId);
}

/** The keys of the attempts that are left once what waits is written. */
async function left(): Promise<string[]> {
  await stage.flush();
  return stage.journal.entryKeys;
}

describe('an attempt of which nothing is wanted any more', () => {
  const close = { do: 'close', givesUp: ref(9) } as const;

  test.each<[string, Parameters<TinyCertStage['work']>[0], number[]]>([
    ['a resource that has none', brandNew, [9]],
    ['a resource with a certificate', { status: issued }, [9]],
    ['a resource with others before', { status: { ...issued, formerCertificates: [ref(3)] } }, [3, 9]],
  ])('ends, and what it bought becomes a former certificate of %s', async (_, given, want) => {
    await stage.opened();
    expect(await run(close, given)).toEqual({ requeueAfterMs: 0 });
    expect(former()).toEqual(want);
    expect(isSealed(stage.account, stage.stored())).toBe(true);
    expect([stage.found(), await left(), stage.records]).toEqual([undefined, [], []]);
  });

  test('ends, and what it bought goes on record where the seal of the status is broken', async () => {
    await stage.opened();
    const status: CertificateStatus = { ...issued, seal: 'broken' };
    await run(close, { status, sealed: false });
    // A new seal would drop what the status names, and that could be bought again.
    expect(stage.kube.writes).toEqual([]);
    expect(stage.stored().status).toMatchObject(status);
    expect([await left(), stage.records]).toEqual([[], ['released 9 Undecided']]);
    expect([...stage.view.records()]).toMatchObject([{ issuer: attempt.issuer }]);
  });

  test('ends without a write of its own if it bought nothing', async () => {
    await stage.opened();
    expect(await run({ do: 'close' })).toEqual({ requeueAfterMs: 0 });
    expect([stage.kube.writes, await left(), stage.records]).toEqual([[], [], []]);
  });

  test('stays until the status says what it bought', async () => {
    const { id } = await stage.opened();
    stage.kube.onWrite = () => {
      throw kubeError(409, 'Conflict');
    };
    await expect(run(close)).rejects.toMatchObject({ status: 409 });
    expect([await left(), stage.found()?.id]).toEqual([[KEY], id]);
  });

  test('leaves the attempt of the same resource at another account alone', async () => {
    await stage.opened();
    await stage.opened({ account: otherAccount });
    await run({ do: 'close' });
    expect(await left()).toEqual([`tinycert.entry.${attemptOwner('uid', otherAccount)}`]);
  });
});

describe('after a recovery', () => {
  const recover = { do: 'recover' } as const;

  test('what was found is published, and its attempt ends', async () => {
    const { id } = await stage.opened();
    stage.atCa.set(9, { vector: one });
    await run(recover);
    expect(stage.stored().status).toMatchObject({ ...ref(9), attemptId: id });
    expect([await left(), stage.records, stage.bought]).toEqual([[], [], []]);
    expect(await stage.counted('adopted')).toBe(1);
  });

  test('unmarkedKept: what it is only likely to have bought and is not wanted any more becomes nobody’s', async () => {
    await stage.opened(otherSpec);
    stage.atCa.set(9, { vector: one });
    expect(await run(recover)).toEqual({ requeueAfterMs: 0 });
    expect([await left(), stage.records, stage.kube.writes]).toEqual([[], ['released 9 Undecided'], []]);
  });

  test('an attempt that is not wanted any more and found nothing ends, and is on record', async () => {
    await stage.opened(otherSpec);
    expect(await run(recover)).toEqual({ requeueAfterMs: 0 });
    expect([await left(), stage.records]).toEqual([[], ['abandoned uid']]);
    expect([stage.kube.writes, stage.bought]).toEqual([[], []]);
  });

  test('an attempt that found nothing is made again, and the one before is on record', async () => {
    const { id } = await stage.opened();
    stage.answer = () => {
      expect([stage.found()?.id === id, stage.records]).toEqual([false, ['abandoned uid']]);
      stage.atCa.set(8, { vector: one });
      return 8;
    };
    await run(recover);
    expect(stage.stored().status).toMatchObject(ref(8));
    expect([stage.bought, await left()]).toEqual([['cert/new'], []]);
  });

  test('certificates that nobody can tell apart are on record before another one is bought', async () => {
    await stage.opened({ afterId: 3 });
    stage.atCa.set(9, { vector: one });
    stage.atCa.set(10, { vector: two });
    let afterId: number | undefined;
    stage.answer = () => {
      afterId = stage.found()?.attempt.afterId;
      stage.atCa.set(11, { vector: one });
      return 11;
    };
    await run(recover);
    expect(stage.records).toEqual(['released 9 Undecided', 'released 10 Undecided', 'abandoned uid']);
    // What cannot be decided may still come to light, so the next one looks as far back.
    expect([afterId, stage.bought]).toEqual([3, ['cert/new']]);
  });

  test('nothing is bought, or put on record, where the next attempt is blocked', async () => {
    await stage.opened();
    await run(recover, { ...brandNew, spec: { suspend: true } });
    expect(stage.found()?.progress).toEqual({ is: 'fruitless' });
    expect(conditionOf(stage.stored().status?.conditions, 'Issuing')?.reason).toBe('Suspended');
    expect([await left(), stage.records, stage.bought]).toEqual([[KEY], [], []]);
  });

  test('replyOnce: nothing is bought after two answers in doubt', async () => {
    await stage.opened({ doubts: 2 });
    await run(recover);
    expect(stage.events).toEqual(['AnswersDoubted']);
    expect(stage.found()?.progress).toEqual({ is: 'fruitless' });
    expect([await left(), stage.bought]).toEqual([[KEY], []]);
  });

  describe('what the resource’s own Secret holds', () => {
    beforeEach(async () => {
      stage.atCa.set(9, { vector: one });
      stage.atCa.set(10, { vector: two });
    });
    const secret = vectors.inSecret(one, 9);

    test('is published, and what the attempt may have bought besides is on record', async () => {
      await stage.opened();
      await run(recover, { ...brandNew, secret });
      expect(stage.stored().status).toMatchObject(ref(9));
      expect([await left(), stage.records]).toEqual([[], ['released 10 Undecided']]);
    });

    test('is remembered only once what the attempt may have bought besides is on record', async () => {
      await stage.opened(otherSpec);
      stage.journal.fate = () => ({ refused: 403 });
      await expect(run(recover, { ...brandNew, secret })).rejects.toThrow(JournalRefused);
      expect(stage.found()?.progress).toEqual({ is: 'open' });

      stage.journal.fate = () => 'answered';
      await run(recover, { ...brandNew, secret });
      expect(stage.found()?.progress).toMatchObject({ is: 'bought', bought: ref(9) });
      expect(stage.records).toEqual(['released 10 Undecided']);
    });

    test('is remembered with what else was found if it cannot be published', async () => {
      await stage.opened();
      stage.kube.onWrite = () => {
        throw kubeError(409, 'Conflict');
      };
      const damaged = { ...secret, hasMetadata: false, metadata: { ...secret.metadata, labels: { a: 'b' } } };
      await run(recover, { ...brandNew, secret: damaged });
      expect(stage.found()?.attempt.certificateId).toBe(9);
      expect(stage.records).toEqual(['released 10 Undecided']);
    });
  });

  test('a journal that was found changed ends the work', async () => {
    await stage.opened();
    stage.journal.change({ other: 'x' });
    await expect(run(recover)).rejects.toThrow(TermOver);
    expect([stage.bought, stage.kube.writes]).toEqual([[], []]);
  });
});

test('what an attempt is known to have bought is published, and its attempt ends', async () => {
  const { id } = await stage.opened({ certificateId: 9 });
  stage.atCa.set(9, { vector: one });
  const why = { reason: 'Issuing', message: '' };
  await run({ do: 'resume', bought: ref(9), why });
  expect(stage.stored().status).toMatchObject({ ...ref(9), attemptId: id });
  expect([await left(), await stage.counted('success')]).toEqual([[], 1]);
});

test('a step that asks TinyCert is not begun without the journal', async () => {
  const task = { ...stage.work(brandNew), view: undefined };
  await expect(act(task, { do: 'recover' })).rejects.toMatchObject({ code: 'NoJournal' });
});

test('nothing is bought on a decision that is older than the wait for the authority: it is made again', async () => {
  let isKnown = false;
  const { material } = stage.issuer;
  const fetched = async (): ReturnType<typeof material> => {
    isKnown = true;
    return material();
  };
  stage = new TinyCertStage({ vectors, issuer: { hasMaterial: () => isKnown, material: fetched } });
  stage.atCa.set(8, { vector: one });
  const plan = { do: 'issue', operation: 'New', why: { reason: 'DoesNotExist', message: '' } } as const;

  expect(await run(plan)).toEqual({ requeueAfterMs: 0 });
  expect([stage.bought, stage.kube.writes]).toEqual([[], []]);

  await run(plan);
  expect(stage.stored().status).toMatchObject(ref(8));
});
