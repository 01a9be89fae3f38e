import { beforeEach, describe, expect, test, vi } from 'vitest';
import { account, attempt, ref } from '../../../test/support/inputs/inputs.ts';
import { TinyCertStage } from '../../../test/support/inputs/tinycert-step.ts';
import { quietAfter } from '../../issuance/attempt/timing.ts';
import { attemptOwner, type OpenAttempt } from '../../issuance/tinycert/attempt.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { giveUpAttempt, makeWay, quietAfterMs } from './give-up.ts';

const OWNER = attemptOwner('uid', account);
const KEY = `tinycert.entry.${OWNER}`;

let stage: TinyCertStage;
beforeEach(() => {
  stage = new TinyCertStage();
});

/** Begins anew with a journal in which this text stands for the attempt. */
function having(text: string): void {
  stage = new TinyCertStage({ texts: { [KEY]: text } });
}

/** Gives the attempt up, and writes that. */
async function giveUp(): Promise<void> {
  giveUpAttempt(stage.deps, stage.view, OWNER);
  await stage.flush();
}

describe('the attempt of a resource that is gone', () => {
  type Knowing = (open: OpenAttempt) => void;

  test.each<[string, Parameters<TinyCertStage['opened']>[0], Knowing, string[]]>([
    ['of which nobody knows the result is recorded itself', {}, () => undefined, ['abandoned uid']],
    [
      'that a recovery found nothing of is recorded itself, since it may still be found',
      {},
      ({ id }) => stage.deps.attempts.fruitless(OWNER, id, 0),
      ['abandoned uid'],
    ],
    [
      'whose entry says what it bought has that recorded',
      { certificateId: 8 },
      () => undefined,
      ['released 8 Deleted'],
    ],
    [
      'of which this process knows what it bought has that recorded',
      {},
      ({ id }) => stage.deps.attempts.bought(OWNER, id, 0, ref(9)),
      ['released 9 Deleted'],
    ],
    [
      'that was not sent has nothing recorded',
      {},
      ({ id }) => stage.deps.attempts.prepared(OWNER, id, 0),
      [],
    ],
  ])('%s', async (_, change, know, records) => {
    know(await stage.opened(change));
    await giveUp();

    expect(stage.records).toEqual(records);
    expect(stage.journal.entryKeys).toEqual([]);
    expect(stage.deps.attempts.size).toBe(0);
  });

  test('putBackUnsure: is recorded itself, whatever it says, if the journal was put back', async () => {
    const entry = { ...attempt, certificateId: 8 };
    having(JSON.stringify({ id: 'attempt-1', group: 'me', isPutBack: true, entry }));
    await giveUp();
    expect([stage.records, stage.journal.entryKeys]).toEqual([['abandoned uid'], []]);
  });

  test('that nobody can read is removed all the same', async () => {
    having('{');
    await giveUp();
    expect([stage.records, stage.journal.entryKeys]).toEqual([[], []]);
  });

  test('that has ended meanwhile costs nothing', async () => {
    const before = stage.journal.sent;
    await giveUp();
    expect(stage.journal.sent).toBe(before);
  });

  test('leaves the attempts of others alone', async () => {
    await stage.opened();
    await stage.opened({ requestHash: 'v1:other' }, 'other');
    await giveUp();
    expect(stage.journal.entryKeys).toEqual([`tinycert.entry.${attemptOwner('other', account)}`]);
  });
});

describe('an attempt is waited for', () => {
  const quietMs = quietAfter(tinycertKind.timing);

  test('until nothing of it can happen any more', async () => {
    await stage.opened();
    expect(quietAfterMs(stage.deps, stage.view, OWNER)).toBe(quietMs);
    await stage.clock.advance(quietMs - 1);
    expect(quietAfterMs(stage.deps, stage.view, OWNER)).toBe(1);
    await stage.clock.advance(1);
    expect(quietAfterMs(stage.deps, stage.view, OWNER)).toBe(0);
  });

  test('although nobody can read it', async () => {
    having('{');
    expect(quietAfterMs(stage.deps, stage.view, OWNER)).toBe(quietMs);
    await stage.clock.advance(quietMs);
    expect(quietAfterMs(stage.deps, stage.view, OWNER)).toBe(0);
  });

  test.each<[string, (id: string) => void]>([
    ['was not sent', (id) => stage.deps.attempts.prepared(OWNER, id, 0)],
    ['is known to have bought something', (id) => stage.deps.attempts.bought(OWNER, id, 0, ref(9))],
    ['was found to have bought nothing', (id) => stage.deps.attempts.fruitless(OWNER, id, 0)],
  ])('no longer if it %s', async (_, know) => {
    const { id } = await stage.opened();
    know(id);
    expect(quietAfterMs(stage.deps, stage.view, OWNER)).toBe(0);
  });

  test('not at all if there is none', () => {
    expect(quietAfterMs(stage.deps, stage.view, OWNER)).toBe(0);
    expect(stage.deps.attempts.size).toBe(0);
  });
});

describe('an attempt that its resource cannot conclude now', () => {
  const quietMs = quietAfter(tinycertKind.timing);

  /** Asks it to make way, while another resource waits for its request or does not. */
  async function ask(isInTheWay: boolean): Promise<void> {
    vi.spyOn(stage.view, 'isInTheWay').mockReturnValue(isInTheWay);
    await makeWay(stage.work(), stage.present());
    await stage.flush();
  }

  test('stays while nobody waits for it', async () => {
    await stage.opened();
    await stage.clock.advance(quietMs);
    await ask(false);
    expect([stage.journal.entryKeys, stage.records]).toEqual([[KEY], []]);
  });

  test('makes way for another resource once nothing of it can happen any more, and is on record', async () => {
    await stage.opened();
    await ask(true);
    expect(stage.journal.entryKeys).toEqual([KEY]);
    await stage.clock.advance(quietMs);
    await ask(true);
    expect([stage.journal.entryKeys, stage.records]).toEqual([[], ['abandoned uid']]);
  });

  test('keeps what it bought, and only lets go of its request', async () => {
    const { id } = await stage.opened();
    stage.deps.attempts.bought(OWNER, id, 0, ref(9));
    await ask(true);
    expect(stage.present().attempt.certificateId).toBe(9);
    const stored = JSON.parse(stage.journal.data[KEY] ?? '') as object;
    expect(stored).not.toHaveProperty('request');
  });

  test('replyOnce: stays if it counts answers in doubt, and only lets go of its request', async () => {
    await stage.opened({ doubts: 1 });
    await ask(true);
    expect(stage.journal.data[KEY]).toContain('"request"');
    await stage.clock.advance(quietMs);
    await ask(true);
    expect(stage.present().attempt.doubts).toBe(1);
    expect(stage.journal.data[KEY]).not.toContain('"request"');
  });
});
