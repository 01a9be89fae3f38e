import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { cacertAccounts } from '../account/cacert-accounts.ts';
import { SealKey } from '../account/seal-key.ts';
import { tinycertAccounts } from '../account/tinycert-accounts.ts';
import { connect } from '../kube/config/credentials.ts';
import { KubeClient } from '../kube/client.ts';
import { LeaderElector } from '../kube/lease.ts';
import { noStuckWorker, serveHealth, serveMetrics } from '../kube/serve.ts';
import { Transport } from '../kube/transport/transport.ts';
import type { Clock } from '../lib/clock.ts';
import { AppError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { createMetrics } from '../metrics/registry.ts';
import { startControllers } from './controllers.ts';
import { InstalledCrds } from './crds.ts';
import type { Settings } from './flags.ts';
import { restMetrics } from './rest-metrics.ts';
import type { Stop } from './stop.ts';

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

/** Runs the operator until it is told to stop. Rejects if it cannot start, loses the leadership, or must restart for newer CRDs. */
export async function runOperator(settings: Settings, clock: Clock, log: Logger, stop: Stop): Promise<void> {
  const connection = await connect({
    clock,
    log,
    ...(settings.kubeconfig === undefined ? {} : { kubeconfig: settings.kubeconfig }),
  });
  const metrics = createMetrics();
  const transport = new Transport({
    connection,
    clock,
    userAgent: 'tinycert-operator',
    metrics: restMetrics(metrics.rest, connection.server),
    // A few spare ones, so a renewal of the Lease never waits behind writes.
    connections: settings.concurrency + 4,
  });
  const kube = new KubeClient(transport, { fieldManager: 'tinycert-operator' });
  const namespace = settings.clusterResourceNamespace ?? connection.namespace ?? 'default';
  const identity = `${hostname()}_${randomUUID()}`;
  const work = new AbortController();
  const running = AbortSignal.any([stop.gentle, work.signal]);
  const sealKey = new SealKey({ kube, clock, log, namespace });
  const accounts = tinycertAccounts({
    clock,
    sealKey: () => sealKey.bytes,
    metrics: { calls: metrics.tinycert, accounts: metrics.accounts },
  });
  const logins = cacertAccounts({
    clock,
    metrics: { calls: metrics.cacert, accounts: metrics.accounts },
  });
  const elector = settings.leaderElect
    ? new LeaderElector({
        client: kube,
        clock,
        log,
        namespace,
        name: LEASE_NAME,
        identity,
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
    crds,
    leads: () => !work.signal.aborted && (elector?.isHeld() ?? true),
    stop: { gentle: running, forced: stop.forced },
  });
  const listeners = [
    await serveMetrics({ address: settings.metricsBindAddress, registry: metrics.registry }),
    await serveHealth({
      address: settings.healthProbeBindAddress,
      livez: Object.fromEntries(
        controllers.queues.map((queue) => [queue.name, noStuckWorker(queue.queue, STUCK_MS)]),
      ),
      readyz: { caches: () => controllers.assertSynced() },
      clock,
      log,
    }),
  ];
  const run = async (): Promise<void> => {
    await sealKey.load(running);
    await controllers.run();
  };
  log.info({ server: connection.server, namespaces: settings.namespaces ?? 'all' }, 'Operator started');
  try {
    await lead(elector, run, stop, work);
  } finally {
    work.abort();
    await controllers.close();
    await Promise.all([accounts.close(), logins.close()]);
    await Promise.all(listeners.map((listener) => listener.close()));
    await transport.close();
    log.info('Operator stopped');
  }
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
