import { beforeEach, describe, expect, test } from 'vitest';
import {
  account,
  attempt,
  authority,
  certificate,
  issued,
  otherAccount,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import { TinyCertStage } from '../../../test/support/inputs/tinycert-step.ts';
import { quietAfter } from '../../issuance/attempt/timing.ts';
import { attemptOwner, boughtIn, type OpenAttempt } from '../../issuance/tinycert/attempt.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { abandoned } from '../../issuance/tinycert/records.ts';
import { JournalRefused, TermOver } from '../../journal/errors.ts';
import {
  accountsWithAttempt,
  amend,
  attemptAt,
  attemptsOfOthers,
  endAttempt,
  type Found,
} from './attempts.ts';

const OWNER = attemptOwner('uid', account);
const KEY = `tinycert.entry.${OWNER}`;
const QUIET_MS = quietAfter(tinycertKind.timing);

let stage: TinyCertStage;
beforeEach(() => {
  stage = new TinyCertStage();
});

/** What is found of the resource at its account, for a status that names this attempt. */
function foundFor(attemptId: string | undefined, isSealed = true): Found {
  const status = { ...issued, ...(attemptId === undefined ? {} : { attemptId }) };
  return attemptAt(stage.deps, stage.view, certificate({ status }), account, isSealed);
}

const knowledge = (id: string) =>
  stage.deps.attempts.knowledgeOf(OWNER, id, stage.clock.monotonic(), tinycertKind.timing);

describe('the attempt of a resource at an account', () => {
  test('is what the journal has of it, and what this process knows', async () => {
    const { id } = await stage.opened();
    expect(foundFor('another')).toEqual({
      attempt: {
        id,
        attempt: await stage.attempt(),
        isPutBack: false,
        quietAt: QUIET_MS,
        progress: { is: 'open' },
      },
      unreadable: undefined,
    });
    stage.deps.attempts.bought(OWNER, id, 0, ref(9));
    expect(boughtIn(foundFor('another').attempt)).toEqual(ref(9));
  });

  test('is another one at each account', async () => {
    await stage.opened({ account: otherAccount });
    const there = attemptAt(stage.deps, stage.view, certificate(), otherAccount, false).attempt;
    expect(there?.attempt.account).toBe(otherAccount);
    expect(foundFor(undefined).attempt).toBeUndefined();
    expect(accountsWithAttempt(stage.view, 'uid')).toEqual([otherAccount]);
    expect(accountsWithAttempt(stage.view, 'u')).toEqual([]);
  });

  test('begins to be quiet when this process first sees it, if another one made it', async () => {
    await stage.opened();
    stage.deps.attempts.forget(OWNER);
    await stage.clock.advance(7_000);
    expect(foundFor(undefined).attempt?.quietAt).toBe(7_000 + QUIET_MS);
    await stage.clock.advance(7_000);
    expect(foundFor(undefined).attempt?.quietAt).toBe(7_000 + QUIET_MS);
  });

  test('is not known, and not forgotten, while the journal is taken over', async () => {
    const { id } = await stage.opened();
    stage.deps.attempts.bought(OWNER, id, 0, ref(9));
    expect(attemptAt(stage.deps, undefined, certificate(), account, true)).toEqual({
      attempt: undefined,
      unreadable: undefined,
    });
    expect(knowledge(id).progress).toEqual({ is: 'bought', bought: ref(9) });
    expect(accountsWithAttempt(undefined, 'uid')).toEqual([]);
  });

  test('is forgotten once the journal has none', () => {
    stage.deps.attempts.bought(OWNER, 'ended', 0, ref(9));
    expect(foundFor(undefined)).toEqual({ attempt: undefined, unreadable: undefined });
    expect(stage.deps.attempts.size).toBe(0);
  });

  test('is told by its key if nobody can read it, and is left alone', async () => {
    stage = new TinyCertStage({ texts: { [KEY]: '{' } });
    expect(foundFor('attempt-1')).toEqual({ attempt: undefined, unreadable: KEY });
    await stage.flush();
    expect(stage.journal.entryKeys).toEqual([KEY]);
  });

  test('is told by its key if only another version can read it', () => {
    const stored = { id: 'attempt-1', group: 'me', entry: { ...attempt, operation: 'Other' } };
    stage = new TinyCertStage({ texts: { [KEY]: JSON.stringify(stored) } });
    expect(foundFor('another').unreadable).toBe(KEY);
  });

  test('is marked if the journal was put back', () => {
    const stored = { id: 'attempt-1', group: 'me', isPutBack: true, entry: attempt };
    stage = new TinyCertStage({ texts: { [KEY]: JSON.stringify(stored) } });
    expect(foundFor('another').attempt).toMatchObject({ id: 'attempt-1', isPutBack: true });
  });
});

describe('namedDropped: an attempt that the status names', () => {
  test('has its result there, and goes with what this process knew of it', async () => {
    const { id } = await stage.opened();
    expect(foundFor(id).attempt).toBeUndefined();
    // At once for whoever decides, and from the object with the next write.
    expect(stage.found()).toBeUndefined();
    expect(stage.deps.attempts.size).toBe(0);
    await stage.flush();
    expect(stage.journal.entryKeys).toEqual([]);
  });

  test.each<[string, (id: string) => Found]>([
    ['by a status that somebody else may have written', (id) => foundFor(id, false)],
    ['not, but another one', () => foundFor('another')],
    ['not', () => foundFor(undefined)],
  ])('%s stays', async (_, find) => {
    const { id } = await stage.opened();
    expect(find(id).attempt?.id).toBe(id);
    await stage.flush();
    expect(stage.journal.entryKeys).toEqual([KEY]);
  });
});

describe('an attempt of which more is written down', () => {
  /** Work on the resource with the attempt that is open, and that attempt. */
  async function working(): Promise<{ work: ReturnType<TinyCertStage['work']>; open: OpenAttempt }> {
    await stage.opened();
    return { work: stage.work({ status: {} }), open: stage.present() };
  }

  test('goes on under another id, with what is known of it', async () => {
    const { work, open } = await working();
    stage.deps.attempts.bought(OWNER, open.id, 0, ref(9));
    const amended = await amend(work, open, { certificateId: 9 });

    expect(amended).toMatchObject({ attempt: { ...open.attempt, certificateId: 9 }, isPutBack: false });
    expect(amended.id).not.toBe(open.id);
    expect(stage.found()).toMatchObject({ id: amended.id, progress: { is: 'bought' } });
    expect(stage.journal.entryKeys).toEqual([KEY]);
  });

  test('is not dropped by a status that names it as it was', async () => {
    const { work, open } = await working();
    const { id } = await amend(work, open, { doubts: 1 });
    expect(foundFor(open.id).attempt?.id).toBe(id);
  });

  test('keeps others from asking for the same', async () => {
    const { work, open } = await working();
    await amend(work, open, { doubts: 1 });
    await expect(stage.opened({}, 'other')).rejects.toThrow('The journal has no room.');
  });

  test('puts on record what comes with it', async () => {
    const { work, open } = await working();
    await amend(work, open, { certificateId: 9 }, { records: [abandoned(stage.view, 'uid', open.attempt)] });
    expect(stage.records).toEqual(['abandoned uid']);
  });

  test.each([
    ['the journal was changed', 'changed', TermOver],
    ['the API server refuses the write', { refused: 403 }, JournalRefused],
  ] as const)('is as it was if %s', async (_, what, error) => {
    const { work, open } = await working();
    stage.deps.attempts.bought(OWNER, open.id, 0, ref(9));
    if (what === 'changed') stage.journal.change({ other: 'x' });
    else stage.journal.fate = () => what;
    await expect(amend(work, open, { certificateId: 9 })).rejects.toThrow(error);
    expect(JSON.parse(stage.journal.data[KEY] ?? '')).toMatchObject({ id: open.id });
    expect(knowledge(open.id).progress).toEqual({ is: 'bought', bought: ref(9) });
  });
});

test('an attempt that has ended goes with what is recorded of it', async () => {
  const { id, attempt: made } = await stage.opened();
  endAttempt(stage.deps, stage.view, OWNER, id, [abandoned(stage.view, 'uid', made)]);
  expect([stage.found(), stage.deps.attempts.size]).toEqual([undefined, 0]);
  await stage.flush();
  expect([stage.records, stage.journal.entryKeys]).toEqual([['abandoned uid'], []]);
});

test('the attempts of others are those at the same authority, of resources that are gone too', async () => {
  await stage.opened();
  await stage.opened({ requestHash: 'v1:other', afterId: 11 }, 'other');
  await stage.opened({ account: otherAccount }, 'third');
  await stage.opened({ authorityId: 2 }, 'fourth');
  // A uid that begins like that of the resource is another one.
  await stage.opened({ requestHash: 'v1:fifth', afterId: 12 }, 'uid2');
  const afterIds = (uid: string): number[] =>
    [...attemptsOfOthers(stage.view, uid, authority)].map(({ afterId }) => afterId);
  expect(afterIds('uid')).toEqual([11, 12]);
  expect(afterIds('other')).toEqual([attempt.afterId, 12]);
});

test('the attempt of another resource counts until its removal is written', async () => {
  const { id } = await stage.opened({ requestHash: 'v1:other' }, 'other');
  const count = (): number => [...attemptsOfOthers(stage.view, 'uid', authority)].length;
  endAttempt(stage.deps, stage.view, attemptOwner('other', account), id);
  expect(count()).toBe(1);
  await stage.flush();
  expect(count()).toBe(0);
});
