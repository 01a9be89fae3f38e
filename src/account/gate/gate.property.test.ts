import {
  array,
  assert,
  asyncProperty,
  boolean,
  constant,
  integer,
  nat,
  oneof,
  option,
  record,
} from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { Gate, type Permit } from './gate.ts';

const FAULT = { reason: 'UnknownError', message: 'TinyCert failed without giving a reason.' };

const RUNS = 2_000;

/** What may happen at the gate. */
const happening = oneof(
  { weight: 5, arbitrary: record({ do: constant('come' as const), urgency: nat(9), lock: option(nat(2)) }) },
  { weight: 4, arbitrary: record({ do: constant('succeed' as const), which: nat() }) },
  { weight: 2, arbitrary: record({ do: constant('fail' as const), which: nat() }) },
  { weight: 1, arbitrary: record({ do: constant('leave' as const), which: nat() }) },
  { weight: 2, arbitrary: record({ do: constant('delete' as const), which: nat() }) },
  { weight: 1, arbitrary: record({ do: constant('linger' as const), which: nat() }) },
  { weight: 1, arbitrary: record({ do: constant('limit' as const), ms: option(nat(90_000)) }) },
  { weight: 1, arbitrary: record({ do: constant('check' as const), well: boolean() }) },
  { weight: 3, arbitrary: record({ do: constant('wait' as const), ms: nat(70_000) }) },
);

/** A user of the gate: a certificate that is reconciled when it comes and whenever it is woken. */
interface User {
  key: string;
  urgency: number;
  lock: string | undefined;
  state: 'waits' | 'works' | 'done';
  /** Its worker is busy with something else when it is woken. */
  isSlow: boolean;
  permit?: Permit;
}

/** Users of one gate, and every breach of what it promises. */
class Users {
  readonly clock = new VirtualClock();
  readonly gate: Gate;
  readonly all = new Map<string, User>();
  readonly breaches: object[] = [];
  readonly #limit: number;
  #count = 0;

  constructor(limit: number, rate: { perMinute: number; burst: number } | null) {
    this.#limit = limit;
    this.gate = new Gate({ limit, clock: this.clock, ...(rate ? { rate } : {}) });
  }

  come(urgency: number, lock: number | null): void {
    const key = String((this.#count += 1));
    const user: User = {
      key,
      urgency,
      lock: lock === null ? undefined : `name ${lock}`,
      state: 'waits',
      isSlow: false,
    };
    this.all.set(key, user);
    this.#reconcile(user);
  }

  /** The user with a number among those in a state. */
  pick(state: User['state'], which: number): User | undefined {
    const some = [...this.all.values()].filter((user) => user.state === state);
    return some[which % Math.max(1, some.length)];
  }

  end(user: User | undefined, how: (permit: Permit, key: string) => void): void {
    const { permit } = user ?? {};
    if (!user || !permit) return;
    delete user.permit;
    user.state = 'waits';
    how(permit, user.key);
    permit.release();
  }

  succeed(user: User | undefined): void {
    this.end(user, ({ epoch }, key) => {
      this.gate.succeeded(key, epoch);
      this.finish(key);
    });
  }

  fail(user: User | undefined): void {
    this.end(user, ({ epoch }, key) => {
      this.gate.failed(key, epoch, FAULT);
      if (user) this.gate.park(this.#ticket(user));
    });
  }

  finish(key: string): void {
    this.all.delete(key);
  }

  /** Deletes a user that waits: it must leave nothing behind. */
  delete(user: User | undefined): void {
    if (!user) return;
    this.finish(user.key);
    this.gate.forget(user.key);
    const waiting = [...this.all.values()].filter(({ state }) => state === 'waits').length;
    if (this.gate.load.parked > waiting) this.breaches.push({ is: 'kept for a deleted key', key: user.key });
  }

  #ticket(user: User) {
    const { key, urgency, lock } = user;
    const wake = (): void => void Promise.resolve().then(() => this.#reconcile(user));
    return { key, urgency, ...(lock === undefined ? {} : { lock }), wake };
  }

  #reconcile(user: User): void {
    if (this.all.get(user.key) !== user || user.permit || user.isSlow) return;
    const end = this.gate.begin(user.key);
    const ticket = this.#ticket(user);
    const isAdmitted = this.gate.admits(ticket);
    const permit = this.gate.enter(ticket);
    if ((permit !== undefined) !== isAdmitted)
      this.breaches.push({ is: 'announced otherwise', key: user.key });
    if (permit) {
      user.permit = permit;
      user.state = 'works';
      this.#inspect();
    }
    end();
  }

  /** Checks what holds whenever a permit has been granted. */
  #inspect(): void {
    const working = [...this.all.values()].filter(({ state }) => state === 'works');
    const { state, epoch } = this.gate.breaker;
    const trials = working.filter(({ permit }) => permit?.epoch === epoch).length;
    const locks = working.flatMap(({ lock }) => (lock === undefined ? [] : [lock]));
    const isAllowed = state === 'closed' || (state === 'half-open' && trials === 1);
    if (
      working.length > this.#limit ||
      !isAllowed ||
      this.gate.pausedFor > 0 ||
      new Set(locks).size < locks.length
    )
      this.breaches.push({ state, trials, inside: working.length, locks, paused: this.gate.pausedFor });
  }

  /** Users that were slow come late: their place may be gone. */
  catchUp(): void {
    for (const user of this.all.values()) {
      if (!user.isSlow) continue;
      user.isSlow = false;
      this.#reconcile(user);
    }
  }
}

test('whatever happens, permits never exceed the limit, none is granted while stopped, one lock has one holder, and every key that is not deleted gets its permit once the CA is well, after which nothing is kept', async () => {
  await assert(
    asyncProperty(
      array(happening, { maxLength: 60 }),
      integer({ min: 1, max: 4 }),
      option(record({ perMinute: integer({ min: 10, max: 600 }), burst: integer({ min: 1, max: 5 }) })),
      async (happenings, limit, rate) => {
        const users = new Users(limit, rate);
        const { gate, clock } = users;
        for (const one of happenings) {
          if (one.do === 'come') users.come(one.urgency, one.lock);
          if (one.do === 'succeed') users.succeed(users.pick('works', one.which));
          if (one.do === 'fail') users.fail(users.pick('works', one.which));
          if (one.do === 'leave') users.end(users.pick('works', one.which), (_, key) => users.finish(key));
          if (one.do === 'delete') users.delete(users.pick('waits', one.which));
          if (one.do === 'linger') {
            const user = users.pick('waits', one.which);
            if (user) user.isSlow = true;
          }
          if (one.do === 'limit') gate.limited(one.ms ?? undefined);
          if (one.do === 'check' && one.well) gate.checkSucceeded();
          if (one.do === 'check' && !one.well) gate.checkFailed(FAULT);
          if (one.do === 'wait') await clock.advance(one.ms);
          else await Promise.resolve();
        }
        // From here on the CA works: each check succeeds, and so does each issuance.
        users.catchUp();
        for (let i = 0; i < 400 && users.all.size > 0; i += 1) {
          gate.checkSucceeded();
          for (const user of users.all.values()) users.succeed(user);
          await clock.advance(1_000 * 2 ** Math.min(14, i >> 3));
        }
        expect(users.breaches).toEqual([]);
        expect([...users.all.keys()]).toEqual([]);
        expect(gate.load).toEqual({ inside: 0, parked: 0 });
      },
    ),
    { numRuns: RUNS },
  );
}, 60_000);

test('after any faults, nothing is left of keys that are gone', async () => {
  await assert(
    asyncProperty(
      array(happening, { maxLength: 60 }),
      integer({ min: 1, max: 4 }),
      async (happenings, limit) => {
        const users = new Users(limit, null);
        const keys = new Set<string>();
        for (const one of happenings) {
          if (one.do === 'come') users.come(one.urgency, one.lock);
          if (one.do === 'fail') users.fail(users.pick('works', one.which));
          if (one.do === 'limit') users.gate.limited(one.ms ?? undefined);
          if (one.do === 'check') users.gate.checkSucceeded();
          if (one.do === 'wait') await users.clock.advance(one.ms);
          for (const key of users.all.keys()) keys.add(key);
        }
        for (const user of users.all.values()) users.end(user, () => undefined);
        users.all.clear();
        for (const key of keys) users.gate.forget(key);
        await users.clock.advance(0);
        expect(users.gate.isEmpty).toBe(true);
        // What is left is the end of a pause.
        await users.clock.advance(600_000);
        expect(users.clock.pending).toBe(0);
      },
    ),
    { numRuns: RUNS },
  );
}, 60_000);
