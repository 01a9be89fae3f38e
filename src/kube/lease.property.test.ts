import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Fate, LeaseApi } from '../../test/support/kube/lease-api.ts';
import { ProcessClock } from '../../test/support/world/process-clock.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { silentLog } from '../lib/log.ts';
import { LeaderElector } from './lease.ts';

const PROCESSES = 3;
const STEP_MS = 250;

/** One process: an elector that a supervisor runs again whenever it ends. */
class Member {
  readonly clock: ProcessClock;
  readonly elector: LeaderElector;
  readonly #stopping = new AbortController();
  #round = new AbortController();
  readonly running: Promise<void>;

  constructor(world: VirtualClock, api: LeaseApi, identity: string) {
    this.clock = new ProcessClock(world);
    this.elector = new LeaderElector({
      begunAnnotation: 'begun',
      client: api.client(this.clock),
      clock: this.clock,
      log: silentLog,
      namespace: 'operator',
      name: 'lease',
      identity,
      random: () => identity.charCodeAt(0) / 256,
    });
    this.running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#round = new AbortController();
      await this.elector.run(AbortSignal.any([this.#round.signal, this.#stopping.signal]));
    }
  }

  /** Releases leadership and tries again. */
  yield(): void {
    this.clock.run(() => this.#round.abort(new Error('yield')));
  }

  stop(): void {
    this.#stopping.abort(new Error('stopped'));
  }
}

/** One of the processes, or the holder of the Lease. */
const who = fc.oneof(fc.nat(PROCESSES - 1), fc.constant('holder' as const));
const event = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 100, max: 25_000 }) }),
  },
  fc.record({ kind: fc.constant('stop' as const), who, asleep: fc.boolean() }),
  fc.record({ kind: fc.constant('resume' as const), who }),
  fc.record({ kind: fc.constant('kill' as const), who }),
  fc.record({ kind: fc.constant('yield' as const), who }),
  // Backwards by more than any sleep here: a sleep and a setback that cancel out are the stated caveat.
  fc.record({
    kind: fc.constant('jump' as const),
    who,
    ms: fc.constantFrom(-86_400_000, 500, 20_000, 86_400_000),
  }),
);

const fate: fc.Arbitrary<Fate> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      thereMs: fc.integer({ min: 0, max: 300 }),
      backMs: fc.integer({ min: 0, max: 300 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      thereMs: fc.integer({ min: 0, max: 40_000 }),
      backMs: fc.integer({ min: 0, max: 8000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      thereMs: fc.integer({ min: 0, max: 20_000 }),
      backMs: fc.constant(0),
      lost: fc.constantFrom('request' as const, 'reply' as const),
    }),
  },
);

/** Names of the processes that hold the Lease now. */
function holders(members: readonly Member[]): number[] {
  return members.flatMap(({ elector }, index) => (elector.isHeld() ? [index] : []));
}

test('two processes never hold the Lease, whatever is delayed, lost, stopped, set or killed, and afterwards one does again', async () => {
  let led = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 5, maxLength: 25, size: 'max' }),
      fc.array(fate, { minLength: 1, maxLength: 30 }),
      async (happenings, fates) => {
        const world = new VirtualClock();
        const api = new LeaseApi(world);
        let asked = 0;
        api.fate = () => fates[asked++ % fates.length] ?? { thereMs: 0, backMs: 0 };
        let generation = 0;
        const join = (): Member =>
          new Member(world, api, `${String.fromCharCode(97 + generation++)}-process`);
        const members = Array.from({ length: PROCESSES }, join);
        const graves: Member[] = [];
        const seen: number[][] = [];
        const check = (): void => {
          seen.push(holders(members));
        };
        api.onAct = check;

        for (const one of happenings) {
          if (one.kind === 'pass') {
            for (let left = one.ms; left > 0; left -= STEP_MS) {
              await world.advance(Math.min(left, STEP_MS));
              check();
            }
          } else {
            const index = one.who === 'holder' ? (holders(members)[0] ?? 0) : one.who;
            const member = members[index];
            if (one.kind === 'stop') member?.clock.stop(one.asleep);
            else if (one.kind === 'resume') member?.clock.resume();
            else if (one.kind === 'yield') member?.yield();
            else if (one.kind === 'jump') member?.clock.jump(one.ms);
            else {
              member?.clock.kill();
              if (member) graves.push(member);
              members[index] = join();
            }
          }
          check();
        }
        expect(seen.filter((one) => one.length > 1)).toEqual([]);
        led += seen.filter((one) => one.length === 1).length;

        api.fate = () => ({ thereMs: 0, backMs: 0 });
        for (const member of members) member.clock.resume();
        await world.advance(90_000);
        expect(holders(members)).toHaveLength(1);

        for (const member of [...members, ...graves]) member.stop();
        await world.advance(10_000);
        await Promise.all(members.map((member) => member.running));
      },
    ),
    { numRuns: 100 },
  );
  expect(led).toBeGreaterThan(100);
}, 60_000);
