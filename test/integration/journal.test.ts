import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BOUNDS } from '../../src/journal/bounds.ts';
import { Journal, type JournalOptions } from '../../src/journal/journal.ts';
import type { Section } from '../../src/journal/section.ts';
import type { JournalClient } from '../../src/journal/store.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { isConflict } from '../../src/kube/errors.ts';
import { secrets } from '../../src/kube/objects.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { errorOf, journalObject, type Note, noteCodec } from '../support/kube/journal-process.ts';
import { clientOf, makeNamespace, until } from '../support/kube/kube-runtime.ts';
import { controlPlane } from '../support/world/control-plane.ts';

const owners = (count: number, name = 'owner'): string[] =>
  Array.from({ length: count }, (_, i) => `${name}-${i}`);

/** A journal that counts its writes. `onWrite` is called when one is sent. */
class Counted {
  writes = 0;
  onWrite: () => void = () => undefined;
  readonly section: Section<Note, Note>;

  constructor(client: KubeClient, namespace: string, options: Partial<JournalOptions> = {}) {
    const counting: JournalClient = {
      find: (...call) => client.find(...call),
      create: (...call) => this.#count(() => client.create(...call)),
      mergePatch: (...call) => this.#count(() => client.mergePatch(...call)),
    };
    const journal = new Journal({
      client: counting,
      object: { ...journalObject, namespace },
      clock: systemClock,
      log: silentLog,
      holder: 'us',
      leads: () => true,
      lease: () => undefined,
      quietMs: 0,
      isFirstUse: () => Promise.resolve(true),
      ...options,
    });
    this.section = journal.section({
      name: 'notes',
      entry: noteCodec,
      record: noteCodec,
      wake: () => undefined,
    });
    const stop = new AbortController();
    const running = journal.run(() => Promise.resolve(), stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await running;
    });
  }

  #count<T>(send: () => Promise<T>): Promise<T> {
    this.writes += 1;
    this.onWrite();
    return send();
  }

  async open(owner: string, text = '', group = 'g'): Promise<string> {
    const result = await this.section.view!.open({ owner, group, make: () => ({ text }) });
    return result.is === 'open' ? result.id : expect.unreachable(`${owner} has to wait`);
  }
}

describe('on a running API server', () => {
  let client: KubeClient;
  let namespace: string;
  beforeEach(async () => {
    client = await clientOf(controlPlane().kubeconfig);
    namespace = await makeNamespace(client);
  });

  async function ready(options: Partial<JournalOptions> = {}): Promise<Counted> {
    const journal = new Counted(client, namespace, options);
    await until(() => journal.section.view !== undefined);
    return journal;
  }

  const stored = async (): Promise<string[]> => {
    const { data = {} } = await client.get(secrets, { ...journalObject, namespace });
    return Object.keys(data).filter((key) => key.startsWith('notes.entry.'));
  };

  test.each([
    [1, 1],
    [8, 2],
    [32, 2],
    [128, 2],
  ])(
    '%i entries, of which the first is being written when the others come, cost %i writes',
    async (count, writes) => {
      const journal = await ready();
      const before = journal.writes;
      const [first = '', ...others] = owners(count);
      const sent = new Promise<void>((resolve) => (journal.onWrite = resolve));
      const opened = [journal.open(first)];
      await sent;
      opened.push(...others.map((owner) => journal.open(owner)));
      const ids = await Promise.all(opened);
      expect(journal.writes - before).toBe(writes);
      expect(await stored()).toHaveLength(count);

      // All that was removed meanwhile goes with the next entry.
      for (const [i, id] of ids.entries())
        journal.section.view!.removeLater({ owner: owners(count)[i]!, id });
      await journal.open('another');
      expect(journal.writes - before).toBe(writes + 1);
      expect(await stored()).toEqual(['notes.entry.another']);
    },
  );

  test('a restart finds the entries, records and ids, and costs one write', async () => {
    const before = await ready();
    before.section.raise('ca', 41);
    const id = await before.open('a', 'the text');
    const record = { name: 'n', group: 'g', record: { text: 'given up' } };
    await before.section.view!.remove({ owner: 'x', id: '', records: [record] });

    const after = await ready();
    expect(after.writes).toBe(1);
    expect(after.section.view!.entry('a')).toMatchObject({
      id,
      entry: { text: 'the text' },
      isPutBack: false,
    });
    expect(after.section.view!.recorded('n')).toEqual({ text: 'given up' });
    expect(after.section.highest('ca')).toBe(41);
    expect(await errorOf(before.open('b'))).toMatchObject({ code: 'TermOver', end: 'changed' });
  });

  test('a takeover of the same process over the same contents gives the object another version', async () => {
    const journal = await ready();
    const { metadata } = await client.get(secrets, { ...journalObject, namespace });
    const same = { metadata: { resourceVersion: metadata.resourceVersion }, data: {} };
    const patched = await client.mergePatch(secrets, { ...journalObject, namespace }, same);
    // What the takeover's random text is for: a patch that changes nothing does not fence.
    expect(patched.metadata.resourceVersion).toBe(metadata.resourceVersion);
    await ready();
    const late = client.mergePatch(secrets, { ...journalObject, namespace }, same);
    expect(isConflict(await errorOf(late))).toBe(true);
    expect(journal.section.view).toBeDefined();
  });

  test('the leader writes a deleted journal again', async () => {
    const journal = await ready();
    await journal.open('a');
    await client.delete(secrets, { ...journalObject, namespace });
    await journal.open('b');
    expect(await stored()).toEqual(['notes.entry.a', 'notes.entry.b']);
  });

  test('a journal that is as full as it may be is stored and read', async () => {
    const journal = await ready({ bounds: { groupEntries: 10_000, groupRecords: 10_000 } });
    const view = journal.section.view!;
    const text = 'x'.repeat(700);
    for (const name of owners(BOUNDS.highestIds)) journal.section.raise(name, Number.MAX_SAFE_INTEGER);
    const records = owners(1000).map((name) => ({ name, group: name, record: { text: 'y'.repeat(300) } }));
    await view.remove({ owner: 'x', id: '', records });
    const results = await Promise.all(
      owners(1000).map((owner) => view.open({ owner, group: 'g', make: () => ({ text }) })),
    );
    const opened = results.filter(({ is }) => is === 'open').length;
    expect(opened).toBeGreaterThan(500);
    expect(opened).toBeLessThan(1000);
    const next = await ready();
    expect([...next.section.view!.entries()]).toHaveLength(opened);
    expect([...next.section.view!.records()].length).toBeGreaterThan(500);
  });
});
