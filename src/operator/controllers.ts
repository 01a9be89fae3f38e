import { hostname } from 'node:os';
import { SecretWatches, informerWatches } from '../account/secret-watches.ts';
import { NameClaims } from '../issuance/secret/name-claims.ts';
import { eventWarner, operatorEvents } from '../issuance/status/events.ts';
import { runController } from '../kube/controller/controller.ts';
import { WorkQueue } from '../kube/controller/queue.ts';
import { EventRecorder } from '../kube/events.ts';
import type { LeaseHistory } from '../kube/lease.ts';
import type { Logger } from '../lib/log.ts';
import { cacertControllers } from './cacert.ts';
import { operatorJournal } from './journal.ts';
import { type Informers, allKinds, hasCAcert, startInformers } from './kinds/informers.ts';
import { whenMet } from './kinds/needs.ts';
import { reportKinds } from './kinds/report-kinds.ts';
import type { Controller, Shared } from './shared.ts';
import type { Stop } from './process/stop.ts';
import { tinycertControllers } from './tinycert.ts';

/** How long certificates wait for the journal after a start, in milliseconds. Then they report what they can. */
const JOURNAL_HEAD_START_MS = 5_000;

export interface ControllersOptions extends Omit<
  Shared,
  'informers' | 'journal' | 'warn' | 'warnOperator' | 'secretWatches' | 'nameClaims' | 'queueOf'
> {
  log: Logger;
  /** What the Lease told when it was acquired; undefined without a leader election. */
  lease: () => LeaseHistory | undefined;
  /** Called when the journal is taken over. */
  begun?: () => void;
  stop: Stop;
}

export interface Controllers {
  queues: readonly Pick<Controller, 'name' | 'queue'>[];
  /** How much is kept for objects and queued, by owner. All of it is 0 once there are none. */
  kept: () => Record<string, number>;
  /** What is watched. */
  informers: Informers;
  /** Takes the journal over, and starts each controller as soon as its needs are met; resolves after the stop, when all have finished. */
  run: () => Promise<void>;
  /** Ends the watches. */
  close: () => Promise<void>;
}

/**
 * Starts the informers, which run on every replica, and builds the controllers, which run on the leader.
 *
 *     informers.ts     what is watched                         one entry a kind
 *     tinycert.ts      issuer, clusterissuer, …-in-use,
 *                      certificate, unfinalized                one line a controller
 *     cacert.ts        cacertaccount, cacertcertificate        one line a controller, none if CAcert is off
 *
 * A line is `{ name, queue, workers, reconcile, needs }`. A controller runs from the moment its needs are met, whatever
 * the other controllers wait for, so a missing CRD stops only what depends on it. Its queue fills before that.
 *
 * The rule for `needs`: a cache that has not been filled decides nothing.
 *
 * - `synced`: the controller works on these objects, or takes them for gone if the cache lacks them (an inventory, an
 *   owner of a Secret). It waits while their CRD is missing.
 * - `known`: the controller asks only which objects there are. If the API server does not serve the kind (404), there are
 *   none: no Secret name is claimed by one, no issuer is needed by one.
 * - An issuer of a kind that is not in sync counts as existing, so nothing is given up for its absence; its certificates
 *   report that the kind is not installed.
 *
 * When a kind is installed later, its informer lists it within about 40 seconds. Then its controllers start, and what was
 * decided without it is decided again. Until that list, its resources claim nothing. If another resource has written the
 * Secret by then, it keeps the Secret, as it would if both had been created at the same moment.
 */
export function startControllers(options: ControllersOptions): Controllers {
  const { kube, clock, log, metrics, settings, stop } = options;
  const { namespaces, cacert } = settings;
  const watching = new AbortController();
  const { signal } = watching;
  const informers = startInformers({ kube, clock, log, namespaces, cacert, signal });
  reportKinds(allKinds(informers), log);
  const recorder = new EventRecorder({
    client: kube,
    clock,
    log,
    controller: 'tinycert-operator',
    instance: options.holder,
  });
  const recording = recorder.run(signal);
  const { journal, prepare } = operatorJournal({
    ...options,
    namespaces,
    informers,
    metrics: metrics.journal,
  });
  const shared: Shared = {
    ...options,
    informers,
    journal,
    warn: eventWarner(recorder),
    warnOperator: operatorEvents(recorder, { namespace: options.namespace, pod: hostname() }),
    secretWatches: new SecretWatches(informerWatches({ client: kube, clock, log, signal })),
    nameClaims: new NameClaims(),
    queueOf: (name) => new WorkQueue({ name, clock, metrics: metrics.queue }),
  };
  const parts = [
    tinycertControllers(shared),
    ...(hasCAcert(informers) ? [cacertControllers({ ...shared, informers })] : []),
  ];
  const controllers = parts.flatMap((part) => part.controllers);

  async function run({ name, queue, workers, reconcile, needs, awaitsJournal }: Controller): Promise<void> {
    if (!(await whenMet(needs, stop.gentle))) {
      await queue.shutDown();
      return;
    }
    if (awaitsJournal)
      await Promise.race([journal.started, clock.sleep(JOURNAL_HEAD_START_MS, stop.gentle)]).catch(
        () => undefined,
      );
    log.debug({ controller: name }, 'Controller started');
    const { forced: forceSignal } = stop;
    await runController(
      { name, queue, concurrency: workers, reconcile, clock, log, metrics: metrics.controller, forceSignal },
      stop.gentle,
    );
  }

  return {
    queues: controllers,
    kept: () =>
      Object.assign(
        Object.fromEntries(
          controllers.map(({ name, queue }) => [
            `${name} queued`,
            queue.depth + queue.delayed + queue.running,
          ]),
        ),
        ...parts.map((part) => part.kept()),
      ) as Record<string, number>,
    informers,
    run: async () => {
      // The journal is written until the last work has ended.
      const over = new AbortController();
      const journaling = journal.run(prepare, over.signal, stop.forced);
      await Promise.all(controllers.map(run));
      over.abort();
      await journaling;
    },
    close: async () => {
      for (const part of parts) part.stop();
      watching.abort();
      await Promise.all([recording, ...allKinds(informers).map(({ done }) => done)]);
    },
  };
}
