import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { JournalApi, type JournalFate } from '../../test/support/kube/journal-api.ts';
import { JournalProcess, QUIET_MS } from '../../test/support/kube/journal-process.ts';
import { settle, VirtualClock } from '../../test/support/virtual-clock.ts';
import { BOUNDS } from './bounds.ts';
import { TermOver } from './errors.ts';
import { LOOK_AGAIN_MS } from './parking.ts';
import { FLUSH_MS } from './term.ts';

const GROUP_ENTRIES = 3;
const ALL_BYTES = 8 * BOUNDS.entryBytes;

/** What a resource asks for. */
const wish = fc.record({
  owner: fc.integer({ min: 0, max: 11 }).map((n) => `owner-${n}`),
  group: fc.constantFrom('g', 'h'),
  request: fc.constantFrom(undefined, 'r', 's'),
});
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('want' as const), wish, who: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('again' as const), wish, who: fc.nat(3) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('done' as const),
      owner: fc.integer({ min: 0, max: 11 }).map((n) => `owner-${n}`),
      isLater: fc.boolean(),
      who: fc.nat(3),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('answer' as const), count: fc.nat(4) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(1, FLUSH_MS, LOOK_AGAIN_MS, QUIET_MS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('crash', 'replace', 'late', 'touch') }) },
);

const fate: fc.Arbitrary<JournalFate> = fc.oneof(
  { weight: 9, arbitrary: fc.constant('answered' as const) },
  { weight: 1, arbitrary: fc.constantFrom('request lost' as const, 'reply lost' as const, 'late' as const) },
  { weight: 1, arbitrary: fc.constantFrom({ refused: 403 }, { refused: 500 }) },
);

/** Processes that lead one after the other; a replaced one believes for a while that it leads still. */
class World {
  readonly clock = new VirtualClock();
  readonly api = new JournalApi();
  readonly processes: JournalProcess[] = [];
  readonly #dead = new Set<number>();
  /** What resources want at present. */
  readonly wishes = new Map<string, Wish>();
  /** Entries that a process was told are in the journal, by id, and those that somebody has asked to remove. */
  readonly acknowledged = new Map<string, string>();
  readonly leaving = new Set<string>();
  readonly faults: string[] = [];
  readonly #busy = new Set<string>();
  opened = 0;

  constructor() {
    this.api.onStored = (data) => this.#check(data);
    this.join();
  }

  get leader(): JournalProcess {
    return this.processes.at(-1)!;
  }

  join(): void {
    const index = this.processes.length;
    const leadersBefore = index === 0 ? undefined : index - 1;
    const process = new JournalProcess({
      api: this.api,
      clock: this.clock,
      holder: `process-${index}`,
      lease: { leaders: index, leadersBefore, begunBefore: undefined, idleMs: index === 0 ? undefined : 0 },
      bounds: { groupEntries: GROUP_ENTRIES, allEntryBytes: ALL_BYTES },
      isDead: () => this.#dead.has(index),
    });
    process.onWake = (owner) => this.attempt(process, owner);
    this.processes.push(process.start());
  }

  kill(): void {
    this.#dead.add(this.processes.length - 1);
  }

  isAlive(process: JournalProcess): boolean {
    return !this.#dead.has(this.processes.indexOf(process));
  }

  /** One of the processes that live; mostly the leader. */
  someone(who: number): JournalProcess {
    const oldest = who === 0 ? this.processes.find((process) => this.isAlive(process)) : undefined;
    return oldest ?? this.leader;
  }

  /** A reconcile: opens an entry for what is wanted and has none, or in place of the present one. */
  attempt(process: JournalProcess, owner: string, isAgain = false): void {
    const busy = `${this.processes.indexOf(process)}/${owner}`;
    const wanted = this.wishes.get(owner);
    if (!wanted || this.#busy.has(busy) || !this.isAlive(process)) return;
    const view = process.section.viewFor(owner);
    const entry = view?.entry(owner);
    if (!view || (entry && !isAgain)) return;
    if (entry) this.leaving.add(entry.id);
    this.#busy.add(busy);
    const { request, group } = wanted;
    view
      .open({
        owner,
        group,
        ...(request === undefined ? {} : { request }),
        ...(entry ? { replaces: entry.id } : {}),
        make: () => ({ text: owner }),
      })
      .then((result) => {
        if (result.is !== 'open') return;
        this.opened += 1;
        this.acknowledged.set(result.id, owner);
        this.#check(this.api.data);
      })
      .catch((error: unknown) => {
        // What is refused is tried again by the controller.
        if (!(error instanceof TermOver)) this.clock.timer(1000, () => this.attempt(process, owner));
      })
      .finally(() => this.#busy.delete(busy));
  }

  /** A result is in status: the entry goes. */
  done(process: JournalProcess, owner: string, isLater: boolean): void {
    const view = process.section.viewFor(owner);
    const entry = view?.entry(owner);
    this.wishes.delete(owner);
    if (!view || !entry) return;
    this.leaving.add(entry.id);
    if (isLater) view.removeLater({ owner, id: entry.id });
    else void view.remove({ owner, id: entry.id }).catch(() => undefined);
  }

  #check(data: Record<string, string>): void {
    const entries = Object.entries(data).filter(([key]) => key.includes('.entry.'));
    const parsed = entries.map(
      ([, text]) => JSON.parse(text) as { id: string; group: string; request?: string },
    );
    const ids = new Set(parsed.map(({ id }) => id));
    for (const [id, owner] of this.acknowledged)
      if (!ids.has(id) && !this.leaving.has(id)) this.faults.push(`the entry of ${owner} is lost`);
    for (const group of new Set(parsed.map((entry) => entry.group)))
      if (parsed.filter((entry) => entry.group === group).length > GROUP_ENTRIES)
        this.faults.push('a group is too large');
    const requests = parsed.flatMap(({ request }) => (request === undefined ? [] : [request]));
    if (new Set(requests).size < requests.length) this.faults.push('a request is open twice');
    const bytes = entries.reduce((sum, [key, text]) => sum + key.length + text.length, 0);
    if (bytes > ALL_BYTES) this.faults.push('the journal is too large');
  }
}

test('no entry is lost or written beside the bounds, whatever is lost, late, refused, deposed or killed, and all come in at last', async () => {
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 10, maxLength: 60, size: 'max' }),
      fc.array(fate, { minLength: 1, maxLength: 30 }),
      async (happenings, fates) => {
        const world = new World();
        await settle(2);
        const { api, clock } = world;
        let asked = 0;
        api.fate = () => fates[asked++ % fates.length] ?? 'answered';
        api.isPrompt = false;
        for (const one of happenings) {
          switch (one.kind) {
            case 'want':
            case 'again':
              if (!world.wishes.has(one.wish.owner)) world.wishes.set(one.wish.owner, one.wish);
              world.attempt(world.someone(one.who), one.wish.owner, one.kind === 'again');
              break;
            case 'done':
              world.done(world.someone(one.who), one.owner, one.isLater);
              break;
            case 'answer':
              for (let i = 0; i < one.count; i += 1) {
                api.next();
                await settle(1);
              }
              break;
            case 'pass':
              await clock.advance(one.ms);
              break;
            case 'crash':
              world.kill();
              world.join();
              break;
            case 'replace':
              world.join();
              break;
            case 'late':
              api.carryOutLate();
              break;
            case 'touch':
              if (api.secret) api.change({ touched: String(clock.monotonic()) });
          }
          await settle(1);
        }

        // All is well again: the present leader brings in what is wanted, as others leave.
        api.fate = () => 'answered';
        api.isPrompt = true;
        while (api.waiting > 0) api.next();
        for (const process of world.processes.slice(0, -1)) process.leads = false;
        for (let round = 0; round < 14; round += 1) {
          await clock.advance(2 * QUIET_MS);
          const { view } = world.leader.section;
          if (!view) continue;
          if (round === 0) for (const owner of world.wishes.keys()) world.attempt(world.leader, owner);
          await settle(2);
          for (const [owner] of view.entries()) world.done(world.leader, owner, true);
        }
        await clock.advance(FLUSH_MS);
        expect([...world.wishes.keys()]).toEqual([]);
        expect(api.entryKeys).toEqual([]);
        expect(world.faults).toEqual([]);
        expect(world.processes.filter(({ traffic }) => traffic.most > 1)).toEqual([]);
        opened += world.opened;

        for (const process of world.processes) void process.stop();
        await clock.advance(1000);
      },
    ),
    { numRuns: 150 },
  );
  expect(opened).toBeGreaterThan(150);
}, 120_000);
