import { JOURNAL_LEADER_ANNOTATION } from '../api/names.ts';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { cacertAccounts } from '../account/cacert-accounts.ts';
import { SealKey } from '../account/seal-key.ts';
import { tinycertAccounts } from '../account/tinycert-accounts.ts';
import { connect } from '../kube/config/credentials.ts';
import { KubeClient } from '../kube/client.ts';
import { LeaderElector } from '../kube/lease.ts';
import { type Check, NotReady, noStuckWorker } from '../kube/serve.ts';
import { Transport } from '../kube/transport/transport.ts';
import type { Clock } from '../lib/clock.ts';
import { AppError, asError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { UnderWay } from './process/under-way.ts';
import { createMetrics } from '../metrics/registry.ts';
import { type Controllers, startControllers } from './controllers.ts';
import { InstalledCrds } from './crds.ts';
import type { Settings } from './flags.ts';
import { readiness } from './kinds/readiness.ts';
import { openListeners } from './process/listeners.ts';
import { restMetrics } from './rest-metrics.ts';
import { limitStop } from './process/stop-limits.ts';
import type { Stop } from './process/stop.ts';

const LEASE_NAME = 'tinycert-operator';
/** Longer than any reconcile may take. */
const STUCK_MS = 600_000;

/** The process has lost the leadership and must end, since another replica may lead by now. */
export class LeadershipLost extends AppError {
  constructor() {
    super(
      'LeadershipLost',
      'Another replica leads now, or the API server could not be reached for too long.',
    );
  }
}

/** Newer CRDs are installed. Objects that were read under the older ones lack fields, so the process must restart. */
export class CrdsRenewed extends AppError {
  constructor() {
    super('CRDsRenewed', 'Newer CRDs are installed: the operator exits to be restarted with them.');
  }
}

/** What all stages of the operator share. */
interface Process {
  settings: Settings;
  clock: Clock;
  log: Logger;
  stop: Stop;
  /** Aborted, with the reason, when the operator ends by itself, and at the end of a stop. */
  work: AbortController;
  /** Aborts when the process ends, whatever still runs. */
  end: AbortSignal;
  /** Calls to CAcert that sign. */
  signing: UnderWay;
  /** What is to be closed at the end, the last one first. */
  closers: (() => Promise<unknown>)[];
  hasStarted: boolean;
}

/**
 * Runs the operator until it is told to stop. Rejects if it cannot start, loses the leadership, or must restart for newer CRDs. From
 * the first port to the last write everything ends within the limits of a stop; what does not is left behind.
 */
export async function runOperator(
  settings: Settings,
  clock: Clock,
  log: Logger,
  signals: Stop,
): Promise<void> {
  const [work, end] = [new AbortController(), new AbortController()];
  const signing = new UnderWay();
  const limits = limitStop({ clock, log, signals, failed: work.signal, calls: signing });
  const { stop } = limits;
  const process: Process = {
    settings,
    clock,
    log,
    stop,
    work,
    end: end.signal,
    signing,
    closers: [],
    hasStarted: false,
  };
  const late = limits.over.then(() => {
    log.warn('The operator ends although something still runs, since the stop has taken too long');
    if (!stop.gentle.aborted) throw work.signal.reason;
  });
  try {
    await Promise.race([operate(process), late]);
  } finally {
    limits.clear();
    end.abort();
    if (process.hasStarted || stop.gentle.aborted) log.info('Operator stopped');
  }
}

async function operate(process: Process): Promise<void> {
  const { stop, work, log, closers } = process;
  try {
    const started = await start(process).catch((error: unknown) => {
      if (!stop.gentle.aborted) throw error;
      log.debug({ error: asError(error) }, 'The start was stopped');
    });
    if (started) await lead(started.elector, started.run, stop, work);
  } catch (error) {
    // From now on the limits of a stop count.
    work.abort(error);
    throw error;
  } finally {
    work.abort();
    for (const close of closers.toReversed()) await close();
  }
}

interface Started {
  elector: LeaderElector | undefined;
  run: () => Promise<void>;
}

/** Everything up to the election. Rejects with a signal's reason if it is told to stop meanwhile. */
async function start(process: Process): Promise<Started> {
  const { settings, clock, log, stop, work, end, signing, closers } = process;
  const running = AbortSignal.any([stop.gentle, work.signal]);
  const metrics = createMetrics();
  const known: { controllers?: Controllers; readyz?: Readonly<Record<string, Check>> } = {};
  closers.push(
    await openListeners({
      settings,
      registry: metrics.registry,
      livez: () =>
        Object.fromEntries(
          (known.controllers?.queues ?? []).map((queue) => [
            queue.name,
            noStuckWorker(queue.queue, STUCK_MS),
          ]),
        ),
      readyz: () => known.readyz ?? { start: isStarting },
      clock,
      log,
      signal: running,
    }),
  );
  const connection = await connect({
    clock,
    log,
    signal: running,
    end,
    ...(settings.kubeconfig === undefined ? {} : { kubeconfig: settings.kubeconfig }),
  });
  const transport = new Transport({
    connection,
    clock,
    userAgent: 'tinycert-operator',
    metrics: restMetrics(metrics.rest, connection.server),
    // A few spare ones, so a renewal of the Lease never waits behind writes.
    connections: settings.concurrency + 4,
  });
  closers.push(() => transport.close());
  const kube = new KubeClient(transport, { fieldManager: 'tinycert-operator' });
  const namespace = settings.clusterResourceNamespace ?? connection.namespace ?? 'default';
  const identity = `${hostname()}_${randomUUID()}`;
  const sealKey = new SealKey({ kube, clock, log, namespace });
  const accounts = tinycertAccounts({
    clock,
    sealKey: () => sealKey.bytes,
    metrics: { calls: metrics.tinycert, accounts: metrics.accounts },
  });
  const logins = cacertAccounts({
    clock,
    signing,
    metrics: { calls: metrics.cacert, accounts: metrics.accounts },
  });
  closers.push(() => Promise.all([accounts.close(), logins.close()]));
  const elector = settings.leaderElect
    ? new LeaderElector({
        client: kube,
        clock,
        log,
        namespace,
        name: LEASE_NAME,
        identity,
        begunAnnotation: JOURNAL_LEADER_ANNOTATION,
        metrics: metrics.lease,
      })
    : undefined;
  const crds = new InstalledCrds({
    transport,
    clock,
    log,
    signal: running,
    onRenewed: () => work.abort(new CrdsRenewed()),
  });
  await crds.check();
  running.throwIfAborted();
  const controllers = startControllers({
    kube,
    clock,
    log,
    metrics,
    accounts,
    cacertAccounts: logins,
    sealKey: () => sealKey.bytes,
    settings,
    namespace,
    holder: identity,
    lease: () => elector?.history,
    begun: () => elector?.begun(),
    crds,
    leads: () => !work.signal.aborted && (elector?.isHeld() ?? true),
    stop: { gentle: running, forced: stop.forced },
  });
  known.controllers = controllers;
  known.readyz = readiness(controllers.informers, crds);
  closers.push(() => controllers.close());
  process.hasStarted = true;
  log.info({ server: connection.server, namespaces: settings.namespaces ?? 'all' }, 'Operator started');
  const run = async (): Promise<void> => {
    await sealKey.load(running);
    await controllers.run();
  };
  return { elector, run };
}

function isStarting(): never {
  throw new NotReady('The operator is starting.');
}

/** Runs while this process leads. The Lease is released only after all work has ended. */
async function lead(
  elector: LeaderElector | undefined,
  run: () => Promise<void>,
  stop: Stop,
  work: AbortController,
): Promise<void> {
  if (!elector) {
    await run();
    if (work.signal.aborted) throw work.signal.reason;
    return;
  }
  const election = new AbortController();
  const elected = elector.run(election.signal);
  // When leadership is lost the work ends at once. The send gate has closed before.
  const lost = elected.then(
    () => work.abort(new LeadershipLost()),
    (error: unknown) => work.abort(error),
  );
  const cancelled = AbortSignal.any([stop.gentle, work.signal]);
  const isLeading = await elector.whenLeading(cancelled).then(
    () => true,
    () => false,
  );
  let wasLost = false;
  try {
    if (isLeading) await run();
  } finally {
    wasLost = work.signal.aborted;
    election.abort();
    await lost;
  }
  if (wasLost && !stop.gentle.aborted) throw work.signal.reason;
}
