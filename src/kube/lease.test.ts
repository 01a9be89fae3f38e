import { describe, expect, test } from 'vitest';
import { LeaseApi } from '../../test/support/kube/lease-api.ts';
import { ProcessClock } from '../../test/support/world/process-clock.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { silentLog } from '../lib/log.ts';
import { createMetrics } from '../metrics/registry.ts';
import { LeaderElector, type LeaderElectorOptions } from './lease.ts';

interface Member {
  elector: LeaderElector;
  clock: ProcessClock;
  stop: () => Promise<void>;
  ended: () => boolean;
}

function setUp(): {
  world: VirtualClock;
  api: LeaseApi;
  join: (identity: string, options?: Partial<LeaderElectorOptions>) => Member;
} {
  const world = new VirtualClock();
  const api = new LeaseApi(world);
  return {
    world,
    api,
    join(identity, options = {}) {
      const clock = new ProcessClock(world);
      const elector = new LeaderElector({
        client: api.client(clock),
        clock,
        log: silentLog,
        namespace: 'operator',
        name: 'lease',
        identity,
        begunAnnotation: 'begun',
        random: () => 0,
        ...options,
      });
      const stopping = new AbortController();
      let over = false;
      const running = elector.run(stopping.signal).then(() => {
        over = true;
      });
      return {
        elector,
        clock,
        ended: () => over,
        stop: async () => {
          stopping.abort(new Error('stopped'));
          await Promise.all([running, world.advance(0)]);
        },
      };
    },
  };
}

describe('acquiring', () => {
  test('the first process creates the Lease and leads', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    expect(a.elector.isHeld()).toBe(true);
    expect(api.lease).toMatchObject({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: 'operator', name: 'lease' },
      spec: {
        holderIdentity: 'a',
        leaseDurationSeconds: 15,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:00.000000Z',
        leaseTransitions: 0,
      },
    });
    await a.stop();
  });

  test('one of two processes that start together leads', async () => {
    const { world, join } = setUp();
    const members = [join('a'), join('b')];
    await world.advance(30_000);
    expect(members.map(({ elector }) => elector.isHeld())).toEqual([true, false]);
    await Promise.all(members.map((member) => member.stop()));
  });

  test('after the first process died, the second takes over after the lease duration on its own clock', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    const b = join('b');
    await world.advance(5000);
    a.clock.kill();
    const lastRenewal = Date.parse(api.lease?.spec?.renewTime ?? '');
    b.clock.jump(-86_400_000);
    await world.advance(lastRenewal + 15_000 - world.now() - 1);
    expect(b.elector.isHeld()).toBe(false);
    await world.advance(4001);
    expect(b.elector.isHeld()).toBe(true);
    expect(api.lease?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    await b.stop();
  });

  test('a longer lease duration of the holder is respected', async () => {
    const { world, join } = setUp();
    const a = join('a', { leaseDurationMs: 60_000 });
    await world.advance(0);
    const b = join('b');
    await world.advance(1000);
    a.clock.kill();
    await world.advance(58_000);
    expect(b.elector.isHeld()).toBe(false);
    await world.advance(5000);
    expect(b.elector.isHeld()).toBe(true);
    await b.stop();
  });

  test('tells which leader it is, and how long nobody had renewed the Lease', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    expect(a.elector.history).toBeUndefined();
    await world.advance(0);
    expect(a.elector.history).toMatchObject({ leaders: 0, leadersBefore: undefined, idleMs: undefined });
    await a.stop();
    await world.advance(60_000);
    // The answer of the write that acquires the Lease is lost, so the process finds its own Lease.
    let writes = 0;
    api.fate = () => (writes++ === 1 ? { thereMs: 0, backMs: 0, lost: 'reply' } : { thereMs: 0, backMs: 0 });
    const b = join('b');
    await world.advance(30_000);
    expect(b.elector.history).toMatchObject({ leaders: 1, leadersBefore: 0, idleMs: 60_000 });
  });

  test('tells the last leader that had begun', async () => {
    const { world, join } = setUp();
    const a = join('a');
    await world.advance(0);
    a.elector.begun();
    await world.advance(2_000);
    await a.stop();
    const b = join('b');
    await world.advance(3_000);
    await b.stop();
    const c = join('c');
    await world.advance(3_000);
    expect(c.elector.history).toMatchObject({ leadersBefore: 1, begunBefore: 0 });
    await c.stop();
  });

  test('fields that others wrote into the Lease stay', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    await a.stop();
    if (api.lease) api.lease.metadata.labels = { team: 'blue' };
    const b = join('b');
    await world.advance(0);
    expect(b.elector.isHeld()).toBe(true);
    expect(api.lease?.metadata.labels).toEqual({ team: 'blue' });
    await b.stop();
  });

  test('a deleted Lease is honoured by those that knew it', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    const b = join('b');
    await world.advance(1000);
    a.clock.kill();
    api.lease = undefined;
    await world.advance(14_000);
    expect(b.elector.isHeld()).toBe(false);
    await world.advance(4000);
    expect(b.elector.isHeld()).toBe(true);
    await b.stop();
  });

  test('an API server that does not answer is called again', async () => {
    const { world, api, join } = setUp();
    api.fate = () => ({ thereMs: 0, backMs: 0, lost: 'request' });
    const a = join('a');
    await world.advance(60_000);
    expect(a.elector.isHeld()).toBe(false);
    api.fate = () => ({ thereMs: 0, backMs: 0 });
    await world.advance(10_000);
    expect(a.elector.isHeld()).toBe(true);
    await a.stop();
  });
});

describe('keeping', () => {
  test('costs one write and no read every two seconds', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    const { requests, writes } = api;
    await world.advance(60_000);
    expect(a.elector.isHeld()).toBe(true);
    expect({ requests: api.requests - requests, writes: api.writes - writes }).toEqual({
      requests: 30,
      writes: 30,
    });
    expect(api.lease?.spec).toMatchObject({
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:01:00.000000Z',
      leaseTransitions: 0,
    });
    await a.stop();
  });

  test('ends if there is no answer for the renew deadline, and isHeld ends with it', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    api.fate = () => ({ thereMs: 0, backMs: 0, lost: 'request' });
    await world.advance(9999);
    expect({ held: a.elector.isHeld(), ended: a.ended() }).toEqual({ held: true, ended: false });
    await world.advance(1);
    expect(a.elector.isHeld()).toBe(false);
    await world.advance(2000);
    expect(a.ended()).toBe(true);
  });

  test('survives lost answers', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    let count = 0;
    api.fate = () => {
      count += 1;
      return count % 4 === 0 ? { thereMs: 0, backMs: 0, lost: 'reply' } : { thereMs: 0, backMs: 0 };
    };
    await world.advance(60_000);
    expect(a.elector.isHeld()).toBe(true);
    expect(api.lease?.spec?.leaseTransitions).toBe(0);
    await a.stop();
  });

  test('survives an edit by someone else', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    if (api.lease) api.lease.metadata.resourceVersion = 'edited';
    await world.advance(3000);
    expect(a.elector.isHeld()).toBe(true);
    expect(a.ended()).toBe(false);
    await a.stop();
  });

  test('ends at once when another process holds the Lease', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    if (api.lease) {
      api.lease.metadata.resourceVersion = 'taken';
      api.lease.spec = { holderIdentity: 'thief', leaseDurationSeconds: 15 };
    }
    await world.advance(2000);
    expect({ held: a.elector.isHeld(), ended: a.ended() }).toEqual({ held: false, ended: true });
    expect(api.lease?.spec?.holderIdentity).toBe('thief');
  });

  test.each([
    ['a suspended machine', 12_000, 0],
    ['a wall clock set ahead', 0, 3_600_000],
    ['a wall clock set back', 0, -3_600_000],
  ])('%s does not hold it until the next renewal', async (_, sleepMs, jumpMs) => {
    const { world, join } = setUp();
    const a = join('a');
    await world.advance(100);
    a.clock.stop(true);
    await world.advance(sleepMs);
    a.clock.jump(jumpMs);
    expect(a.elector.isHeld()).toBe(false);
    a.clock.resume();
    expect(a.elector.isHeld()).toBe(false);
    await world.advance(2000);
    expect(a.elector.isHeld()).toBe(true);
    await a.stop();
  });

  test('a holder that resumes late after a freeze notices at once', async () => {
    const { world, join } = setUp();
    const a = join('a');
    await world.advance(0);
    const b = join('b');
    a.clock.stop(false);
    await world.advance(30_000);
    expect(b.elector.isHeld()).toBe(true);
    a.clock.resume();
    expect(a.elector.isHeld()).toBe(false);
    await world.advance(5000);
    expect(a.ended()).toBe(true);
    expect(b.elector.isHeld()).toBe(true);
    await b.stop();
  });
});

describe('stopping', () => {
  test('releases the Lease, and the next process leads without waiting', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    const b = join('b');
    await world.advance(100);
    await a.stop();
    expect(a.elector.isHeld()).toBe(false);
    expect(api.lease?.spec?.holderIdentity).toBeUndefined();
    await world.advance(3000);
    expect(b.elector.isHeld()).toBe(true);
    await b.stop();
  });

  test('turns isHeld false before it releases the Lease', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    let heldWhenReleased: boolean | undefined;
    api.onAct = () => {
      heldWhenReleased = a.elector.isHeld();
    };
    await a.stop();
    expect(heldWhenReleased).toBe(false);
  });

  test('changes nothing if another process holds the Lease', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    const b = join('b');
    await world.advance(5000);
    await b.stop();
    expect(api.lease?.spec?.holderIdentity).toBe('a');
    await a.stop();
  });

  test('ends a release that is not answered and leaves no timer', async () => {
    const { world, api, join } = setUp();
    const a = join('a');
    await world.advance(0);
    api.fate = () => ({ thereMs: 0, backMs: 0, lost: 'request' });
    await Promise.all([a.stop(), world.advance(6000)]);
    expect(world.pending).toBe(0);
  });
});

describe('whenLeading', () => {
  test('resolves at leadership, and at once if this process leads already', async () => {
    const { world, join } = setUp();
    const a = join('a');
    const free = new AbortController().signal;
    const leading = a.elector.whenLeading(free);
    await Promise.all([leading, world.advance(0)]);
    await a.elector.whenLeading(free);
    expect(a.elector.isHeld()).toBe(true);
    await a.stop();
  });

  test('rejects when its signal aborts', async () => {
    const { world, join } = setUp();
    const a = join('a');
    await world.advance(0);
    const b = join('b');
    await world.advance(0);
    const abort = new AbortController();
    const leading = b.elector.whenLeading(abort.signal);
    abort.abort(new Error('no patience'));
    await expect(leading).rejects.toThrow('no patience');
    await expect(b.elector.whenLeading(abort.signal)).rejects.toThrow('no patience');
    await Promise.all([a.stop(), b.stop()]);
  });
});

test('the metric shows which process leads', async () => {
  const { world, join } = setUp();
  const { registry, lease } = createMetrics({ process: false });
  const line = async (): Promise<string | undefined> =>
    (await registry.metrics()).split('\n').find((one) => one.startsWith('leader_election_master_status{'));
  const a = join('a', { metrics: lease });
  expect(await line()).toBe('leader_election_master_status{name="lease"} 0');
  await world.advance(0);
  expect(await line()).toBe('leader_election_master_status{name="lease"} 1');
  await a.stop();
  expect(await line()).toBe('leader_election_master_status{name="lease"} 0');
});

test('durations that cannot be safe are refused', () => {
  const world = new VirtualClock();
  const clock = new ProcessClock(world);
  const base = {
    begunAnnotation: 'begun',
    client: new LeaseApi(world).client(clock),
    clock,
    log: silentLog,
    namespace: 'n',
    name: 'l',
    identity: 'a',
  };
  expect(() => new LeaderElector({ ...base, renewDeadlineMs: 15_000 })).toThrow(RangeError);
  expect(() => new LeaderElector({ ...base, retryPeriodMs: 10_000 })).toThrow(RangeError);
});
