import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { account, authority, issued, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { TinyCertStage, TinyCertVectors } from '../../../test/support/inputs/tinycert-step.ts';
import type { JournalFate } from '../../../test/support/kube/journal-api.ts';
import { errorOf } from '../../../test/support/kube/journal-process.ts';
import { settle } from '../../../test/support/virtual-clock.ts';
import { secrets } from '../../kube/objects.ts';
import { authorityKey } from '../../api/tinycert/identity.ts';
import { conditionOf } from '../../issuance/status/conditions.ts';
import { SHOW_AFTER_MS } from '../../issuance/status/show-later.ts';
import { type Attempt, attemptOwner, groupOf } from '../../issuance/tinycert/attempt.ts';
import { abandoned, released } from '../../issuance/tinycert/records.ts';
import { isSealed } from '../../issuance/tinycert/seal.ts';
import { BOUNDS } from '../../journal/bounds.ts';
import { TermOver } from '../../journal/errors.ts';
import type { Order } from '../decide/types.ts';
import { issue } from './issue.ts';

const vectors = new TinyCertVectors();
afterAll(() => vectors.remove());
const vector = vectors.sign('11');

const OWNER = attemptOwner('uid', account);
const why = { reason: 'DoesNotExist', message: 'No certificate has been issued yet.' };
const order: Order = { operation: 'New', why };
const reissue: Order = { operation: 'Reissue', why };
const brandNew = { status: {}, sealed: false, secret: { state: 'absent' } } as const;

let stage: TinyCertStage;
beforeEach(() => {
  begin();
});

function begin(options: ConstructorParameters<typeof TinyCertStage>[0] = {}): void {
  stage = new TinyCertStage({ vectors, ...options });
  stage.atCa.set(8, { vector });
}

function run(wanted = order, given: Parameters<TinyCertStage['work']>[0] = brandNew) {
  return issue(stage.work(given), wanted);
}

function issuing(): string | undefined {
  return conditionOf(stage.stored().status?.conditions, 'Issuing')?.reason;
}

/** The attempt as it stands in the journal while TinyCert is asked. */
async function asked(
  wanted = order,
  given: Parameters<TinyCertStage['work']>[0] = brandNew,
): Promise<Attempt> {
  const found: Attempt[] = [];
  stage.answer = () => {
    found.push(stage.present().attempt);
    return 8;
  };
  await run(wanted, given);
  expect(found).toHaveLength(1);
  return found[0] as Attempt;
}

describe('a purchase', () => {
  test('costs two writes of its own and, with others, two of the journal', async () => {
    const all = stage.kube.writes;
    stage.journal.onStored = () => all.push(`journal with ${stage.journal.entryKeys.length}`);
    stage.answer = () => {
      all.push('send');
      return 8;
    };
    await run();
    await stage.flush();
    expect(all).toEqual([
      'journal with 1',
      'send',
      'create secrets ns/web-tls',
      'patch tinycertcertificates ns/web',
      'journal with 0',
    ]);
    expect(await stage.counted('success')).toBe(1);
  });

  test('removeLast: ends with a result that names the attempt under its seal', async () => {
    let id: string | undefined;
    stage.answer = () => {
      id = stage.found()?.id;
      return 8;
    };
    await run();
    const stored = stage.stored();
    expect(stored.status).toMatchObject({ ...ref(8), attemptId: id, revision: 1 });
    expect(isSealed(stage.account, stored)).toBe(true);
    expect([stage.found(), stage.deps.attempts.size]).toEqual([undefined, 0]);
    expect(stage.kube.now(secrets, { namespace: 'ns', name: 'web-tls' })).toBeDefined();
  });

  test('has all in the journal that a person or another process needs, and no text of a tenant', async () => {
    const attempt = await asked(order, { ...brandNew, status: { revision: 4 } });
    const made = await stage.attempt();
    const { since, until } = attempt;
    expect(attempt).toEqual({ ...made, since, until, revision: 5, afterId: 0 });
    expect(Date.parse(since)).toBeLessThan(stage.clock.now());
    expect(Date.parse(until)).toBeGreaterThan(stage.clock.now());
    expect(JSON.stringify(attempt)).not.toMatch(/example|web/i);
  });

  test('is shown in the conditions if TinyCert takes longer than a moment, and that is no conflict', async () => {
    let answer: (id: number) => void = () => undefined;
    stage.answer = () => new Promise((resolve) => (answer = resolve));
    const running = run();
    await stage.clock.advance(SHOW_AFTER_MS - 1);
    expect(issuing()).toBeUndefined();
    await stage.clock.advance(1);
    expect(issuing()).toBe('DoesNotExist');
    answer(8);
    await running;
    expect(stage.stored().status).toMatchObject(ref(8));
    expect(issuing()).toBeUndefined();
  });

  test('is not shown during a trial: the failure that is reported stays', async () => {
    let answer: (id: number) => void = () => undefined;
    stage.answer = () => new Promise((resolve) => (answer = resolve));
    const running = run(order, { ...brandNew, turn: { phase: 'trial', epoch: 0 } });
    await stage.clock.advance(2 * SHOW_AFTER_MS);
    expect(stage.kube.writes).toEqual([]);
    answer(8);
    await running;
    expect(stage.stored().status).toMatchObject(ref(8));
  });

  test('replyAboveFloor: is recovered if the answer is older than the request', async () => {
    stage.account.noteId(authority.authorityId, 8);
    stage.account.listIds(authority.authorityId).end();
    stage.highest.raise(authorityKey(authority), 8);
    expect(await run()).toEqual({ requeueAfterMs: 0 });
    expect(stage.found()).toMatchObject({ attempt: { doubts: 1 }, progress: { is: 'open' } });
    expect(stage.kube.writes).toEqual([]);
  });
});

describe('highestInJournal: an attempt looks above the highest id', () => {
  const name = authorityKey(authority);

  test('that the journal has, before the CA’s list is read', async () => {
    stage.highest.raise(name, 6);
    expect((await asked()).afterId).toBe(6);
  });

  test('that the CA’s list shows, although a higher one was seen', async () => {
    stage.highest.raise(name, 99);
    const ids = stage.account.listIds(authority.authorityId);
    ids.see(7);
    ids.end();
    expect((await asked()).afterId).toBe(7);
    expect(stage.highest.get(name)).toBe(7);
  });
});

describe('nothing is sent', () => {
  test.each<[string, JournalFate, boolean]>([
    ['if the journal was changed', 'answered', false],
    ['if its answer is lost', 'reply lost', true],
    ['if it is never asked', 'request lost', false],
  ])('%s, and the term is over', async (_, fate, isStored) => {
    if (fate === 'answered') stage.journal.change({ other: 'x' });
    stage.journal.fate = () => fate;
    await expect(run()).rejects.toThrow(TermOver);
    expect([stage.bought, stage.kube.writes]).toEqual([[], []]);
    expect(stage.journal.entryKeys).toHaveLength(isStored ? 1 : 0);
    expect(stage.account.gate.load.inside).toBe(0);
  });

  test('if its answer is lost: what may stand there is known as not sent', async () => {
    stage.journal.fate = () => 'reply lost';
    await expect(run()).rejects.toThrow(TermOver);
    const [stored = ''] = Object.values(stage.journal.data);
    const { id } = JSON.parse(stored) as { id: string };
    const { attempts, timing } = stage.deps;
    expect(attempts.knowledgeOf(OWNER, id, 0, timing).progress).toEqual({ is: 'unsent' });
  });

  test('if the API server refuses the journal, and the next try waits', async () => {
    stage.journal.fate = () => ({ refused: 403 });
    const { requeueAfterMs } = await run();
    expect(requeueAfterMs).toBeGreaterThan(45_000);
    expect([stage.bought, stage.events, issuing()]).toEqual([[], ['JournalRefused'], 'JournalRefused']);
    expect(stage.stored().status).toMatchObject({ failedAttempts: 1 });
    expect(stage.journal.entryKeys).toEqual([]);
  });

  test.each<[string, () => Promise<unknown> | void]>([
    [
      'once the journal was found changed',
      () => {
        stage.journal.change({ other: 'x' });
        return errorOf(stage.view.open({ owner: 'other', group: 'me', make: () => ({}) as Attempt }));
      },
    ],
    ['once this process does not lead any more', () => void (stage.leads = false)],
    ['once the attempt is too old', () => stage.clock.advance(5_000)],
  ])('refusedRepeats: %s, and the attempt is known as not sent', async (_, happen) => {
    stage.beforeSend = async () => void (await happen());
    expect(await run()).toEqual({ requeueAfterMs: 200 });
    expect(stage.bought).toEqual([]);
    expect(stage.found()?.progress).toEqual({ is: 'unsent' });
    expect(stage.account.gate.load.inside).toBe(0);
  });
});

describe('a certificate waits without a worker', () => {
  test('oneOpen: while another resource asks for the same, and says so', async () => {
    await stage.opened({}, 'other');
    expect(await run()).toEqual({ requeueAt: undefined });
    expect([stage.bought, stage.events, issuing()]).toEqual([[], [], 'WaitsForAttempt']);
    expect([stage.found(), stage.account.gate.load.inside]).toEqual([undefined, 0]);
  });

  test('while the others of its namespace and account take all room', async () => {
    const make = () => stage.attempt();
    const made = await make();
    for (let i = 0; i < BOUNDS.groupEntries; i += 1)
      await stage.view.open({
        owner: attemptOwner(`uid-${i}`, account),
        group: groupOf(authority, 'ns'),
        make: () => made,
      });
    await run();
    expect([stage.bought, issuing()]).toEqual([[], 'WaitsForAttempt']);
  });

  test.each<[string, Parameters<TinyCertStage['opened']>[0]]>([
    ['another request', { requestHash: 'v1:other' }],
    ['the same at another account', { account: otherAccount }],
  ])('but not for %s', async (_, change) => {
    await stage.opened(change, 'other');
    await run();
    expect(stage.bought).toEqual(['cert/new']);
  });

  test('but not where the marker tells the purchases apart', async () => {
    begin({ issuer: { marksFor: 'issuer-uid' } });
    await stage.opened({ isMarked: true }, 'other');
    expect((await asked()).isMarked).toBe(true);
  });
});

describe('an attempt in place of another one', () => {
  test('replaces it in one write, with what is put on record of that', async () => {
    const before = await stage.opened();
    const records = [
      ...released(stage.view, [ref(7)], { issuer: before.attempt.issuer, cause: 'Undecided' }),
      abandoned(stage.view, 'uid', before.attempt),
    ];
    const sizes: number[] = [];
    stage.journal.onStored = () => sizes.push(stage.journal.entryKeys.length);
    await run({ ...order, records });
    expect(sizes).toEqual([1]);
    expect(stage.records).toEqual(['released 7 Undecided', 'abandoned uid']);
  });

  test('puts on record what the resource may have lost, before it is bought again', async () => {
    const onRecord: string[][] = [];
    stage.answer = () => {
      onRecord.push(stage.records);
      return 8;
    };
    await run({ ...order, unclaimed: [ref(7), ref(6)] });
    expect(onRecord).toEqual([['released 7 Undecided', 'released 6 Undecided']]);
  });

  test('is not written, and nothing is sent, if its records cannot be', async () => {
    const before = await stage.opened();
    stage.journal.fate = (kind) => (kind === 'create' ? { refused: 403 } : 'answered');
    await run({ ...order, records: [abandoned(stage.view, 'uid', before.attempt)] });
    expect([stage.bought, stage.found()?.id, issuing()]).toEqual([[], before.id, 'JournalRefused']);
  });

  test.each([
    ['as far back as that one, since nobody knows what it bought', false, 3],
    ['above what is known, if it bought nothing for certain', true, 7],
  ])('freshAfterId: looks %s', async (_, boughtNothing, afterId) => {
    stage.highest.raise(authorityKey(authority), 7);
    const before = await stage.opened({ afterId: 3 });
    const attempt = await asked({ ...order, boughtNothing });
    expect(attempt).toMatchObject({ afterId, since: before.attempt.since });
  });

  test('againAsItWas: reissues what that one was to reissue', async () => {
    stage.answer = () => 8;
    await stage.opened({ operation: 'Reissue', previousId: 6, revision: 2 });
    await run(reissue, { status: issued });
    expect(stage.bought).toEqual(['cert/reissue 6']);
  });
});

describe('what a status says', () => {
  test('is where a reissue starts from', async () => {
    expect(await asked(reissue, { status: issued })).toMatchObject({ previousId: 7, revision: 2 });
    expect(stage.bought).toEqual(['cert/reissue 7']);
  });

  test('is not where a purchase starts from if its seal is broken', async () => {
    const { previousId, revision } = await asked(order, { status: issued, sealed: false });
    expect([previousId, revision, stage.bought]).toEqual([undefined, 2, ['cert/new']]);
  });

  test('is not where a reissue starts from if its seal is broken', async () => {
    expect(await asked(reissue, { status: issued, sealed: false })).not.toHaveProperty('previousId');
    expect(stage.bought).toEqual(['cert/new']);
  });

  test('reachedDropped: does not raise the revision of an attempt that is made again if its seal is broken', async () => {
    await stage.opened({ revision: 2 });
    const forged = { ...issued, revision: 50 };
    expect((await asked(order, { status: forged, sealed: false })).revision).toBe(2);
  });

  test('sealed: is nothing to revoke if its seal is broken', async () => {
    const pending = { ...ref(5), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' } as const;
    const status = { ...issued, notAfter: '2030-01-01T00:00:00Z', pendingRevocations: [pending] };
    const revocation = {
      onDelete: 'None',
      onReplace: 'Revoke',
      delay: '1h',
      onExternalRevocation: 'Report',
    } as const;
    const promised = async (sealed: boolean): Promise<number[]> => {
      begin();
      await run(order, { status, sealed, spec: { revocation } });
      expect(stage.stored().status).toMatchObject(ref(8));
      const { pendingRevocations = [] } = stage.stored().status ?? {};
      return pendingRevocations.map(({ certificateId }) => certificateId);
    };
    expect(await promised(true)).toEqual([5, 7]);
    expect(await promised(false)).toEqual([]);
  });

  test('names what is given up before another one is bought', async () => {
    const writes: (number[] | undefined)[] = [];
    stage.journal.onStored = () =>
      writes.push(stage.stored().status?.formerCertificates?.map(({ certificateId }) => certificateId));
    await run({ ...order, givesUp: ref(6) });
    expect(writes[0]).toEqual([6]);
    expect(stage.stored().status).toMatchObject({ ...ref(8), formerCertificates: [ref(6)] });
  });
});

test('a resource that is parked at the gate writes no attempt', async () => {
  const permits = [1, 2].map((n) =>
    stage.account.gate.enter({ key: `${n}`, urgency: 0, wake: () => undefined }),
  );
  await run();
  await settle();
  expect([stage.bought, stage.journal.entryKeys]).toEqual([[], []]);
  for (const permit of permits) permit?.release();
});
