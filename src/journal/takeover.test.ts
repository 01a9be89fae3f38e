import { describe, expect, test } from 'vitest';
import { JournalApi } from '../../test/support/kube/journal-api.ts';
import {
  errorOf,
  journalObject,
  JournalProcess,
  QUIET_MS,
  ready,
} from '../../test/support/kube/journal-process.ts';
import { settle } from '../../test/support/virtual-clock.ts';
import type { Secret } from '../kube/objects.ts';
import { LEADER_KEY } from './layout.ts';
import { TermOver } from './errors.ts';

const leaderOf = (api: JournalApi): unknown => JSON.parse(api.data[LEADER_KEY] ?? 'null');

/** The Lease of a leader that follows `leadersBefore` at once. */
const following = (leadersBefore: number, begunBefore?: number) => ({
  leaders: leadersBefore + 1,
  leadersBefore,
  begunBefore,
  idleMs: 0,
});
const first = { leaders: 0, leadersBefore: undefined, begunBefore: undefined, idleMs: undefined };

/** The journal that a first leader left with one entry, by owner `a`. */
async function left(): Promise<JournalApi> {
  const process = await ready({ lease: first });
  await process.opened('a');
  await process.stop();
  return process.api;
}

/** Runs in the process `prepare` until it is let go on. */
function held(process: JournalProcess): () => void {
  let go: () => void = () => undefined;
  process.prepare = () => new Promise((resolve) => (go = resolve));
  return () => go();
}

describe('a takeover', () => {
  test('writes the journal before the resources are listed, and nothing is decided before that', async () => {
    const api = await left();
    const process = new JournalProcess({ api, holder: 'next', lease: following(0) });
    const go = held(process);
    process.start();
    await settle();
    expect(leaderOf(api)).toMatchObject({ holder: 'next', leaders: 1 });
    expect(process.prepared).toBe(1);
    expect(process.section.viewFor('b')).toBeUndefined();
    go();
    await settle();
    expect(Object.keys(process.entries)).toEqual(['a']);
    expect(process.woken.toSorted()).toEqual(['a', 'b']);
  });

  test('changes the journal always, so that a write that is still on its way finds another version', async () => {
    const process = await ready();
    const id = await process.opened('a');
    process.api.fate = (kind) => (kind === 'write' ? 'late' : 'answered');
    const removal = process.view.remove({ owner: 'a', id });
    expect(await errorOf(removal)).toMatchObject({ code: 'TermOver', end: 'unknown' });
    process.api.fate = () => 'answered';
    await process.clock.advance(1000);
    process.api.carryOutLate();
    expect(process.stored).toEqual(['a']);
    expect(process.entries).toMatchObject({ a: { is: 'open', id } });
  });

  test('of another process ends the term of the one before', async () => {
    const before = await ready({ lease: first });
    const view = before.view;
    const next = await ready({ api: before.api, lease: following(0) });
    await next.opened('b');
    before.leads = true;
    const error = await errorOf(before.open('a'));
    expect(error).toBeInstanceOf(TermOver);
    expect(error).toMatchObject({ end: 'changed' });
    expect(view.isCurrent).toBe(false);
    expect(before.stored).toEqual(['b']);
  });

  test('is tried again until it is written, however often the answer is lost', async () => {
    const api = await left();
    let losses = 3;
    api.fate = (kind) => (kind === 'write' && losses-- > 0 ? 'reply lost' : 'answered');
    const process = await ready({ api, lease: following(0) });
    await process.clock.advance(60_000);
    expect(process.entries).toMatchObject({ a: { isPutBack: false } });
  });

  test('is repeated with a new list after a conflict, without which nothing is decided', async () => {
    const process = await ready();
    const entry = await process.opened('a');
    process.api.change({ other: 'text' });
    const go = held(process);
    await errorOf(process.open('b'));
    // What was changed by hand counts as put back.
    await process.clock.advance(QUIET_MS);
    expect(process.prepared).toBe(2);
    expect(process.section.view).toBeUndefined();
    go();
    await settle();
    expect(process.entries).toMatchObject({ a: { id: entry, isPutBack: true } });
    expect(process.woken).toContain('b');
  });

  test('waits for the list, which may fail for a while', async () => {
    const process = new JournalProcess();
    let failures = 2;
    process.prepare = () => (failures-- > 0 ? Promise.reject(new Error('no list')) : Promise.resolve());
    process.start();
    await settle();
    expect(process.section.view).toBeUndefined();
    await process.clock.advance(10_000);
    expect(process.section.view).toBeDefined();
  });

  test('is not begun without the Lease, and nothing is written without it', async () => {
    const process = new JournalProcess();
    process.leads = false;
    process.start();
    await settle();
    expect(process.api.sent).toBe(0);
    process.leads = true;
    await process.clock.advance(1000);
    const view = process.view;
    const { sent } = process.api;
    process.leads = false;
    const error = await errorOf(view.open({ owner: 'a', group: 'g', make: () => ({ text: '' }) }));
    expect(error).toMatchObject({ code: 'TermOver', end: 'lease' });
    expect(process.api.sent).toBe(sent);
  });

  test('ends where the Lease is lost: after the read nothing is written, and after the list nothing is decided', async () => {
    const process = new JournalProcess();
    process.api.isPrompt = false;
    process.start();
    await settle();
    process.leads = false;
    process.api.isPrompt = true;
    process.api.next();
    await process.clock.advance(10_000);
    expect(process.api.sent).toBe(0);

    const go = held(process);
    process.leads = true;
    await process.clock.advance(10_000);
    process.leads = false;
    go();
    await settle();
    expect(process.section.view).toBeUndefined();
    process.leads = true;
    await process.clock.advance(1000);
    go();
    await settle();
    expect(process.section.view).toBeDefined();
    expect(process.prepared).toBe(2);
  });

  test('wakes what waits for room that is there now', async () => {
    const process = await ready({ bounds: { groupEntries: 1 } });
    await process.opened('a', { group: 'g' });
    await process.open('b', { group: 'g' });
    process.api.change({ 'notes.entry.a': null });
    process.leads = false;
    await errorOf(process.open('c'));
    process.leads = true;
    await process.clock.advance(QUIET_MS + 1000);
    expect(process.woken).toContain('b');
  });

  test('leaves alone a Secret of that name that is no journal', async () => {
    const api = new JournalApi();
    const { namespace, name } = journalObject;
    const foreign: Secret = {
      metadata: { namespace, name },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': '' },
    };
    api.putBack(foreign);
    const process = await ready({ api });
    await process.clock.advance(60_000);
    expect(api.secret).toMatchObject(foreign);
    expect(process.section.view).toBeUndefined();
  });
});

describe('without a journal', () => {
  test('a process waits until no request of a lost one can act any more', async () => {
    const process = await ready({ isFirstUse: false });
    await process.clock.advance(QUIET_MS - 1);
    expect(process.api.secret).toBeUndefined();
    await process.clock.advance(1);
    expect(process.api.secret).toMatchObject({
      type: journalObject.type,
      metadata: { labels: journalObject.labels },
    });
    expect(process.entries).toEqual({});
  });

  test('and one that appears meanwhile was put back', async () => {
    const api = await left();
    const { secret } = api;
    api.secret = undefined;
    const process = await ready({ api, isFirstUse: false, lease: following(0) });
    await process.clock.advance(1000);
    api.putBack(secret!);
    await process.clock.advance(QUIET_MS);
    expect(process.entries).toMatchObject({ a: { isPutBack: true } });
  });

  test('the leader that has it in memory writes it again with all entries', async () => {
    const process = await ready();
    const a = await process.opened('a');
    process.api.secret = undefined;
    const b = await process.opened('b');
    expect(process.stored).toEqual(['a', 'b']);
    expect(process.entries).toMatchObject({ a: { id: a }, b: { id: b } });
    expect(process.prepared).toBe(1);
  });

  test('the first use of an installation does not wait', async () => {
    const process = await ready();
    expect(process.section.view).toBeDefined();
    expect(process.clock.monotonic()).toBe(0);
  });
});

describe('a journal counts as put back', () => {
  const cases: [string, Parameters<typeof ready>[0] & object, boolean][] = [
    ['not by the next leader', { lease: following(0) }, false],
    ['not after a short stop', { lease: { ...following(0), idleMs: QUIET_MS } }, false],
    ['not without a leader election', {}, false],
    ['if the Lease counts more leaders', { lease: following(1) }, true],
    ['not if those took no journal over', { lease: following(3, 0) }, false],
    ['not if the last one died before it could tell that', { lease: following(0, undefined) }, false],
    ['if one of those took it over', { lease: following(3, 1) }, true],
    ['if nobody has renewed the Lease for long', { lease: { ...following(0), idleMs: QUIET_MS + 1 } }, true],
    ['if there was no Lease', { lease: first }, true],
  ];
  test.each(cases)('%s', async (_, options, isPutBack) => {
    const api = await left();
    const process = await ready({ api, ...options });
    expect(process.section.view === undefined).toBe(isPutBack);
    await process.clock.advance(QUIET_MS);
    expect(process.entries).toMatchObject({ a: { isPutBack } });
  });

  test('if a leader finds an earlier version of its own', async () => {
    const process = await ready();
    const id = await process.opened('a');
    const { secret } = process.api;
    await process.view.remove({ owner: 'a', id });
    process.api.putBack(secret!);
    await errorOf(process.open('b'));
    await process.clock.advance(QUIET_MS - 1);
    expect(process.section.view).toBeUndefined();
    await process.clock.advance(10_000);
    expect(process.entries).toMatchObject({ a: { id, isPutBack: true } });
  });

  test('not if somebody has changed its labels only, or if the process itself wrote it without an answer', async () => {
    const process = await ready();
    await process.opened('a');
    process.api.putBack({
      ...process.api.secret!,
      metadata: { ...process.api.secret!.metadata, labels: { more: 'x' } },
    });
    await errorOf(process.open('b'));
    await process.clock.advance(1000);
    process.api.fate = (kind) => (kind === 'write' ? 'reply lost' : 'answered');
    const written = process.open('b');
    process.api.fate = () => 'answered';
    await written.catch(() => undefined);
    await process.clock.advance(1000);
    expect(process.entries).toMatchObject({ a: { isPutBack: false }, b: { isPutBack: false } });
  });
});

test('the journal has started once the first term begins', async () => {
  const process = new JournalProcess();
  const prepared = Promise.withResolvers<void>();
  process.prepare = () => prepared.promise;
  let isStarted = false;
  void process.journal.started.then(() => (isStarted = true));
  process.start();
  await settle();
  expect(isStarted).toBe(false);
  prepared.resolve();
  await settle();
  expect(isStarted).toBe(true);
  expect(process.section.view).toBeDefined();
  await process.stop();
});
