import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { account, attempt, authority, certificate, issued } from '../../test/support/inputs/inputs.ts';
import { tinycertView } from '../../test/support/inputs/tinycert-view.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { TinyCertCertificate } from '../api/kinds.ts';
import { certificateLifetimes as cacertLifetimes } from '../cacert-certificates/controller.ts';
import type { Deps as CAcertDeps } from '../cacert-certificates/deps.ts';
import { OpenAttempts } from '../issuance/attempt/open-attempts.ts';
import { quietAfter } from '../issuance/attempt/timing.ts';
import { LastWritten } from '../issuance/status/last-written.ts';
import { attemptOwner } from '../issuance/tinycert/attempt.ts';
import { tinycertKind } from '../issuance/tinycert/kind.ts';
import { ResealPace } from '../issuance/tinycert/reseal-pace.ts';
import { RateLimiter } from '../issuance/status/rate-limit.ts';
import { LossSigns } from '../issuance/tinycert/inventory/loss-signs.ts';
import { Observations } from '../issuance/tinycert/inventory/observations.ts';
import { FLUSH_MS } from '../journal/term.ts';
import { runController } from '../kube/controller/controller.ts';
import { WorkQueue } from '../kube/controller/queue.ts';
import { Store } from '../kube/watch/store.ts';
import { silentLog } from '../lib/log.ts';
import { createMetrics } from '../metrics/registry.ts';
import { BY_UID, type Deps } from '../tinycert-certificates/context/deps.ts';
import { RevocationRetries } from '../tinycert-certificates/context/revocation-retries.ts';
import { certificateLifetimes } from '../tinycert-certificates/controller.ts';
import { Unfinalized } from '../tinycert-certificates/deletion/unfinalized.ts';

const NAMES = ['a', 'b', 'c'];

const steps = fc.array(
  fc.record({ do: fc.constantFrom('create', 'delete', 'go', 'go', 'fail', 'time'), n: fc.nat(99) }),
  { minLength: 5, maxLength: 50 },
);

/** Makes an attempt of a resource, of which something is noted; it may stand in the journal. */
type Try = (uid: string, count: number) => unknown;

/** Of TinyCert's attempts every second one gets into the journal, unless the resource has one there. */
function tinycertTry({ attempts, journal, clock }: Deps): Try {
  return async (uid, count) => {
    const owner = attemptOwner(uid, account);
    const id = `attempt-${count}`;
    const { view } = journal;
    if (count % 2 === 0 || !view || view.entry(owner)) return attempts.sent(owner, id, clock.monotonic());
    const make = (made: string) => {
      attempts.prepared(owner, made, clock.monotonic());
      return attempt;
    };
    const opened = await view.open({ owner, group: 'g', make });
    if (opened.is === 'open') attempts.sent(owner, opened.id, clock.monotonic());
  };
}

function cacertTry({ attempts }: Deps): Try {
  return (uid, count) => attempts.prepared(uid, `attempt-${count}`, 0);
}

/** All that is kept for certificates, and a reconcile that keeps something of every kind whenever it is told to go on. */
function setup(lifetimesOf: typeof certificateLifetimes, tryOf: (deps: Deps) => Try) {
  const clock = new VirtualClock();
  const queue = new WorkQueue({ name: 'certificate', clock });
  const goneQueue = new WorkQueue({ name: 'unfinalized', clock });
  const certificates = new Store<TinyCertCertificate>();
  certificates.addIndex(BY_UID, ({ metadata: { uid = '' } }) => [uid]);
  const { view } = tinycertView(clock);
  const writtenCertificates = new LastWritten<TinyCertCertificate>({ clock });
  const memory = new OpenAttempts();
  const deps = {
    clock,
    timing: tinycertKind.timing,
    journal: { view, viewFor: () => view },
    certificates,
    writtenCertificates,
    written: writtenCertificates,
    attempts: memory,
    resealPace: new ResealPace(clock),
    gates: { forget: () => undefined },
    atRest: { forget: () => undefined },
    observations: new Observations(),
    lossSigns: new LossSigns(tinycertKind.timing),
    revocationRetries: new RevocationRetries(),
    repairLimiter: new RateLimiter(clock),
    reportLimiter: new RateLimiter(clock),
  } as unknown as Deps;
  const unfinalized = new Unfinalized(deps, goneQueue);
  const lifetimes = lifetimesOf(deps, queue, unfinalized);
  const tryOne = tryOf(deps);
  const going: ((error?: Error) => void)[] = [];
  let attempts = 0;
  const reconcile = lifetimes.bounding(async (key) => {
    const object = certificates.get(key);
    if (!object) return {};
    const { uid = '', resourceVersion } = object.metadata;
    for (let i = 0; i < 3; i += 1) {
      await new Promise<void>((resolve, reject) =>
        going.push((error) => (error ? reject(error) : resolve())),
      );
      attempts += 1;
      await tryOne(uid, attempts);
      deps.revocationRetries.failed(uid, 0);
      deps.repairLimiter.note(uid);
      deps.reportLimiter.note(uid, `1 Reason${i}`);
      deps.writtenCertificates.note(key, resourceVersion, object);
      if (certificates.get(key)) deps.lossSigns.note(authority, clock.now(), [object], []);
      if (certificates.get(key))
        deps.observations.replace(
          authority,
          new Map([
            [
              key,
              { certificate: { ...authority, certificateId: 7 }, from: 'good', to: 'hold', candidates: [] },
            ],
          ]),
        );
      deps.resealPace.turnOf(uid);
      queue.add(key, { afterMs: 5_000 });
    }
    return { requeueAt: clock.now() + 90 * 86_400_000 };
  });
  lifetimes.wire();
  certificates.subscribe(({ type, key }) => {
    if (type === 'apply') queue.add(key);
  });
  const kept = (): object => ({
    attempts: memory.size,
    entries: [...view.entries()].length,
    retries: deps.revocationRetries.size,
    reseals: deps.resealPace.size,
    repairs: deps.repairLimiter.size,
    reports: deps.reportLimiter.size,
    written: writtenCertificates.size,
    queued: [queue, goneQueue].reduce((sum, each) => sum + each.depth + each.delayed + each.running, 0),
  });
  const gone = { queue: goneQueue, reconcile: unfinalized.reconcile };
  return { clock, queue, gone, deps, writer: certificates.openPart(), going, reconcile, kept };
}

const NOTHING = {
  attempts: 0,
  entries: 0,
  retries: 0,
  reseals: 0,
  repairs: 0,
  reports: 0,
  written: 0,
  queued: 0,
};

function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Works through a list of steps, deletes everything, lets all work end, and returns what is left. */
async function leftAfter(
  { clock, queue, gone, writer, going, reconcile, kept }: ReturnType<typeof setup>,
  list: readonly { do: string; n: number }[],
): Promise<object> {
  const end = new AbortController();
  const { controller: metrics } = createMetrics();
  const all = { clock, log: silentLog, metrics };
  const running = [
    runController({ ...all, name: 'certificate', queue, concurrency: 2, reconcile }, end.signal),
    runController({ ...all, ...gone, name: 'unfinalized', concurrency: 1 }, end.signal),
  ];
  let count = 0;
  for (const { do: what, n } of list) {
    const name = NAMES[n % NAMES.length] ?? '';
    if (what === 'create') {
      count += 1;
      const version = String(count);
      const object = certificate({ status: issued });
      const metadata = { ...object.metadata, name, uid: `uid-${version}`, resourceVersion: version };
      writer.apply({
        key: `ns/${name}`,
        uid: metadata.uid,
        resourceVersion: version,
        object: { ...object, metadata },
      });
    } else if (what === 'delete') writer.delete(`ns/${name}`);
    else if (what === 'time') await clock.advance(n * 1_000);
    else going.splice(n % Math.max(1, going.length), 1)[0]?.(what === 'fail' ? new Error('down') : undefined);
    await settled();
  }
  for (const name of NAMES) writer.delete(`ns/${name}`);
  for (await settled(); going.length > 0; await settled()) going.shift()?.();
  // What is in the journal goes once it is quiet.
  await clock.advance(quietAfter(tinycertKind.timing) + FLUSH_MS);
  const left = kept();
  end.abort();
  await Promise.all(running);
  return left;
}

test('whatever comes in whatever order, a certificate that is gone leaves nothing', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const world = setup(certificateLifetimes, tinycertTry);
      expect(await leftAfter(world, list)).toEqual(NOTHING);
      expect([world.deps.observations.size, world.deps.lossSigns.size]).toEqual([0, 0]);
    }),
    { numRuns: 300 },
  );
});

test('nor does a certificate of CAcert', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const world = setup((deps, queue) => cacertLifetimes(deps as unknown as CAcertDeps, queue), cacertTry);
      expect(await leftAfter(world, list)).toEqual({
        ...NOTHING,
        retries: expect.any(Number) as number,
        reseals: expect.any(Number) as number,
      });
    }),
    { numRuns: 100 },
  );
});
