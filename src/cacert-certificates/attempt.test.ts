import { describe, expect, test } from 'vitest';
import { attempt, certificate } from '../../test/support/inputs/cacert-inputs.ts';
import { CAcertStage } from '../../test/support/inputs/cacert-step.ts';
import { FLUSH_MS } from '../journal/term.ts';
import { openAttempt, readEntry } from './attempt.ts';

describe('the open attempt of a resource', () => {
  test('is the one in the journal', async () => {
    const stage = new CAcertStage();
    const { id } = await stage.opened({ reason: 'Renewing' });
    expect(openAttempt(stage.deps, stage.view, certificate())).toMatchObject({
      id,
      entry: { reason: 'Renewing' },
    });
    expect(openAttempt(stage.deps, undefined, certificate())).toBeUndefined();
    const other = { ...certificate(), metadata: { ...certificate().metadata, uid: 'other' } };
    expect(openAttempt(stage.deps, stage.view, other)).toBeUndefined();
  });

  test('has ended if status names it, and then leaves the journal', async () => {
    const stage = new CAcertStage();
    const { id } = await stage.opened();
    const named = certificate({ status: { attemptId: id } });
    expect(openAttempt(stage.deps, stage.view, named)).toBeUndefined();
    expect(stage.deps.attempts.size).toBe(0);
    await stage.clock.advance(FLUSH_MS);
    expect(stage.journal.entryKeys).toEqual([]);
  });

  test('that cannot be read is open all the same', async () => {
    const stage = new CAcertStage();
    const opening = stage.view.open({ owner: 'uid', group: 'g', make: () => ({}) as never });
    await opening;
    expect(openAttempt(stage.deps, stage.view, certificate())).toMatchObject({ entry: undefined });
  });
});

test('an entry is read as it was written, and nothing else is', () => {
  const { entry } = attempt();
  expect(readEntry(structuredClone(entry))).toEqual(entry);
  expect(readEntry({ ...entry, startTime: 1 })).toBeUndefined();
  expect(readEntry(undefined)).toBeUndefined();
});
