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
import { settle, VirtualClock } from '../../../test/support/virtual-clock.ts';
import { Gate, type Permit } from './gate.ts';

const FAULT = { reason: 'UnknownError', message: 'TinyCert failed without giving a reason.' };

/** What may happen at the gate. */
const happening = oneof(
  { weight: 4, arbitrary: record({ do: constant('come' as const), urgency: nat(9) }) },
  { weight: 4, arbitrary: record({ do: constant('succeed' as const), which: nat() }) },
  { weight: 2, arbitrary: record({ do: constant('fail' as const), which: nat() }) },
  { weight: 1, arbitrary: record({ do: constant('end' as const), which: nat() }) },
  { weight: 1, arbitrary: record({ do: constant('limit' as const), ms: option(nat(90_000)) }) },
  { weight: 1, arbitrary: record({ do: constant('check' as const), well: boolean() }) },
  { weight: 3, arbitrary: record({ do: constant('wait' as const), ms: nat(70_000) }) },
);

test('whatever happens, permits never exceed the limit, none is granted while stopped, and every ticket gets one after recovery', async () => {
  await assert(
    asyncProperty(
      array(happening, { maxLength: 40 }),
      integer({ min: 1, max: 4 }),
      option(record({ perMinute: integer({ min: 10, max: 600 }), burst: integer({ min: 1, max: 5 }) })),
      async (happenings, limit, rate) => {
        const clock = new VirtualClock();
        const gate = new Gate({ limit, clock, ...(rate ? { rate } : {}) });
        const inside = new Map<string, Permit>();
        const gone = new Set<string>();
        const wrong: object[] = [];
        let count = 0;
        const come = (key: string, urgency: number): void => {
          if (gone.has(key)) return;
          void gate.enter({ key, urgency, wake: () => come(key, urgency) }).then((permit) => {
            if (!permit) return;
            inside.set(key, permit);
            const trials = [...inside.values()].filter(({ epoch }) => epoch === gate.breaker.epoch).length;
            const { state } = gate.breaker;
            const isAllowed = state === 'closed' || (state === 'half-open' && trials === 1);
            if (inside.size > limit || !isAllowed) wrong.push({ state, trials, inside: inside.size });
          });
        };
        const leave = (which: number, how: (key: string, epoch: number) => void): void => {
          const key = [...inside.keys()][which % Math.max(1, inside.size)];
          const permit = inside.get(key ?? '');
          if (key === undefined || !permit) return;
          inside.delete(key);
          how(key, permit.epoch);
          permit.release();
        };
        const succeed = (key: string, epoch: number): void => {
          gone.add(key);
          gate.succeeded(key, epoch);
        };
        for (const one of happenings) {
          if (one.do === 'come') come(String((count += 1)), one.urgency);
          if (one.do === 'succeed') leave(one.which, succeed);
          if (one.do === 'fail')
            leave(one.which, (key, epoch) => {
              gate.failed(key, epoch, FAULT);
              gate.park({ key, urgency: 0, wake: () => come(key, 0) });
            });
          if (one.do === 'end') leave(one.which, (key) => gone.add(key));
          if (one.do === 'limit') gate.limited(one.ms ?? undefined);
          if (one.do === 'check' && one.well) gate.breaker.checkSucceeded();
          if (one.do === 'check' && !one.well) gate.breaker.checkFailed(FAULT);
          if (one.do === 'wait') await clock.advance(one.ms);
          else await settle(1);
        }
        // From here on the CA works: each check succeeds, and so does each issuance.
        for (let i = 0; i < 400 && gone.size < count; i += 1) {
          gate.breaker.checkSucceeded();
          while (inside.size > 0) leave(0, succeed);
          await clock.advance(1_000 * 2 ** Math.min(14, i >> 3));
        }
        expect(wrong).toEqual([]);
        expect(gone.size).toBe(count);
        expect(gate.load).toEqual({ inside: 0, waiting: 0, parked: 0 });
      },
    ),
    { numRuns: 150 },
  );
});
