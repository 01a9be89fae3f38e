import { hostname } from 'node:os';
import type { CAcertAccounts } from '../account/cacert-accounts.ts';
import { SecretWatches, informerWatches } from '../account/secret-watches.ts';
import type { TinyCertAccounts } from '../account/tinycert-accounts.ts';
import {
  type CAcertAccount,
  type CAcertCertificate,
  type TinyCertCertificate,
  cacertAccounts,
  cacertCertificates,
  certificates,
  clusterIssuers,
  issuers,
} from '../api/kinds.ts';
import { MANAGED_LABEL } from '../api/names.ts';
import { AttemptMemory } from '../issuance/attempt/memory.ts';
import { CertificateSecrets } from '../issuance/secret/certificate-secrets.ts';
import { NameClaims } from '../issuance/secret/name-claims.ts';
import { eventWarner, operatorEvents } from '../issuance/status/events.ts';
import { LastWritten } from '../issuance/status/last-written.ts';
import { RateLimiter } from '../issuance/status/rate-limit.ts';
import { StatusWriter } from '../issuance/status/writer.ts';
import { LeftoverSecrets } from '../issuance/tinycert/inventory/leftover-secrets.ts';
import { Observations } from '../issuance/tinycert/inventory/observations.ts';
import { IssuerDirectory } from '../issuance/tinycert/issuer-directory.ts';
import { tinycertKind } from '../issuance/tinycert/kind.ts';
import { IssuersNeeded } from '../issuance/tinycert/revocations/issuers-needed.ts';
import { LastSessions } from '../issuance/tinycert/revocations/last-sessions.ts';
import { IssuerReleasedStore } from '../issuance/tinycert/released-store.ts';
import type { KubeClient } from '../kube/client.ts';
import { runController } from '../kube/controller/controller.ts';
import { WorkQueue } from '../kube/controller/queue.ts';
import { EventRecorder } from '../kube/events.ts';
import { type KubeObject, type ResourceType, type Secret, secrets } from '../kube/objects.ts';
import { type Informer, startInformer } from '../kube/watch/informer.ts';
import type { Clock } from '../lib/clock.ts';
import { AppError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../metrics/registry.ts';
import type { Deps as CertificateDeps } from '../tinycert-certificates/context/deps.ts';
import { RevocationRetries } from '../tinycert-certificates/context/revocation-retries.ts';
import { reconciler, wire } from '../tinycert-certificates/controller.ts';
import { Unfinalized } from '../tinycert-certificates/deletion/unfinalized.ts';
import { controller as issuerController } from '../tinycert-issuers/controller.ts';
import type { Issuer } from '../tinycert-issuers/deps.ts';
import { inUseController } from '../tinycert-issuers/in-use.ts';
import { Inventory } from '../tinycert-issuers/inventory.ts';
import { cacertControllers } from './cacert.ts';
import type { Settings } from './flags.ts';
import { knownResources, listAll, listIssuers, strays, watchedIssuers } from './resources.ts';
import { slimSecret } from './slim.ts';
import type { Stop } from './stop.ts';
import { type Followed, watchSync } from './sync.ts';

export interface ControllersOptions {
  kube: KubeClient;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  accounts: TinyCertAccounts;
  cacertAccounts: CAcertAccounts;
  settings: Settings;
  /** Where Secrets of cluster-scoped issuers lie. */
  namespace: string;
  holder: string;
  leads: () => boolean;
  crds: CertificateDeps['crds'];
  stop: Stop;
}

export interface Controllers {
  queues: readonly { name: string; queue: WorkQueue }[];
  /** Throws while a cache is not in sync. */
  assertSynced: () => void;
  /** Waits for the caches, then works until told to stop. */
  run: () => Promise<void>;
  /** Ends the watches. */
  close: () => Promise<void>;
}

/** A cache has not been filled yet. */
class NotSynced extends AppError {
  constructor() {
    super('NotSynced', 'The caches are not in sync with the API server.');
  }
}

/** Starts the watches, which run warm on every replica, and prepares the controllers, which run on the leader. */
export function startControllers(options: ControllersOptions): Controllers {
  const { kube, clock, log, metrics, settings, stop } = options;
  const watching = new AbortController();
  const { signal } = watching;
  const follow = <T extends KubeObject, P>(
    type: ResourceType<T>,
    project: (object: T) => P,
    extra: { labelSelector?: string; metadataOnly?: boolean } = {},
  ): Informer<P> =>
    startInformer<T, P>({
      client: kube,
      type,
      ...(settings.namespaces && type.namespaced ? { namespaces: settings.namespaces } : {}),
      ...extra,
      project,
      clock,
      log,
      signal,
    });
  const same = <T>(object: T): T => object;
  const informers = {
    certificates: follow<TinyCertCertificate, TinyCertCertificate>(certificates, same),
    secrets: follow<Secret, KubeObject>(secrets, slimSecret, {
      labelSelector: `${MANAGED_LABEL}=true`,
      metadataOnly: true,
    }),
    issuers: follow<Issuer, Issuer>(issuers, same),
    cacertAccounts: follow<CAcertAccount, CAcertAccount>(cacertAccounts, same),
    cacertCertificates: follow<CAcertCertificate, CAcertCertificate>(cacertCertificates, same),
    // A role that is bound to namespaces cannot read cluster-scoped kinds.
    ...(settings.namespaces ? {} : { clusterIssuers: follow<Issuer, Issuer>(clusterIssuers, same) }),
  };
  const all: Followed[] = Object.values(informers);
  const recorder = new EventRecorder({
    client: kube,
    clock,
    log,
    controller: 'tinycert-operator',
    instance: options.holder,
  });
  const recording = recorder.run(signal);
  const warn = eventWarner(recorder);
  const directory = new IssuerDirectory();
  const issuerStores = [
    { type: issuers, prefix: `${issuers.kind}:`, store: informers.issuers.store },
    ...(informers.clusterIssuers
      ? [{ type: clusterIssuers, prefix: `${clusterIssuers.kind}:`, store: informers.clusterIssuers.store }]
      : []),
  ];
  const issuersNeeded = new IssuersNeeded(informers.certificates.store);
  const sessions = new LastSessions({
    directory,
    accounts: options.accounts,
    isNeeded: (key) => issuersNeeded.count(key) > 0,
  });
  issuersNeeded.onChange((key) => sessions.review(key));
  const writtenCertificates = new LastWritten<TinyCertCertificate>({ clock });
  const writtenSecrets = new LastWritten<KubeObject>({ clock });
  const nameClaims = new NameClaims();
  const deps: CertificateDeps = {
    kube,
    clock,
    timing: tinycertKind.timing,
    metrics: metrics.certificates,
    warn,
    warnOperator: operatorEvents(recorder, { namespace: options.namespace, pod: hostname() }),
    holder: options.holder,
    leads: options.leads,
    crds: options.crds,
    certificates: informers.certificates.store,
    secrets: informers.secrets.store,
    listCertificates: (listSignal) => listAll(kube, certificates, settings.namespaces, listSignal),
    directory,
    issuerExists: (key) =>
      issuerStores.some(
        ({ prefix, store }) => key.startsWith(prefix) && store.get(key.slice(prefix.length)) !== undefined,
      ),
    wake: (key) => certificateQueue.add(key, { reason: 'turn' }),
    attempts: new AttemptMemory<number>(),
    observations: new Observations(),
    revocationRetries: new RevocationRetries(),
    lastSessions: sessions,
    releasedStore: new IssuerReleasedStore({
      kube,
      crds: options.crds,
      directory,
      listIssuers: (listSignal) => listIssuers(kube, issuerStores, settings.namespaces, listSignal),
    }),
    leftoverSecrets: new LeftoverSecrets({ kube, strays: () => strays(deps) }),
    repairLimiter: new RateLimiter(clock),
    reportLimiter: new RateLimiter(clock),
    writtenCertificates,
    statuses: new StatusWriter({
      kube,
      clock,
      kind: tinycertKind,
      crds: options.crds,
      written: writtenCertificates,
    }),
    writtenSecrets,
    nameClaims,
    certificateSecrets: new CertificateSecrets({
      kube,
      kind: tinycertKind,
      certificates: informers.certificates.store,
      watched: informers.secrets.store,
      written: writtenSecrets,
      claims: nameClaims,
    }),
  };
  const queueOf = (name: string): WorkQueue => new WorkQueue({ name, clock, metrics: metrics.queue });
  const runs: { name: string; queue: WorkQueue; run: () => Promise<void> }[] = [];
  const certificateQueue = queueOf('certificate');
  const vanishedQueue = queueOf('vanished');
  const vanished = new Unfinalized(deps, vanishedQueue);
  const ends = [
    wire(deps, certificateQueue, vanished),
    vanished.wire(),
    issuersNeeded.wire(),
    sessions.wire(),
  ];
  const inventory = new Inventory({
    clock,
    directory,
    resources: () => knownResources(deps, vanished),
    issuers: () => watchedIssuers(issuerStores),
    observations: deps.observations,
    listCertificates: deps.listCertificates,
    releasedStore: deps.releasedStore,
    leftoverSecrets: deps.leftoverSecrets,
  });
  const secretWatches = new SecretWatches(informerWatches({ client: kube, clock, log, signal }));
  for (const { type, store } of issuerStores) {
    const queue = queueOf(type === issuers ? 'issuer' : 'clusterissuer');
    const { reconcile, stop: end } = issuerController(
      {
        kube,
        clock,
        crds: options.crds,
        warn,
        type,
        issuers: store,
        writtenIssuers: new LastWritten({ clock }),
        directory,
        accounts: options.accounts,
        secretWatches,
        inventory,
        clusterResourceNamespace: options.namespace,
        allowedEndpoints: settings.allowedEndpoints,
      },
      queue,
    );
    ends.push(end);
    runs.push({ name: queueName(type), queue, run: () => start(queueName(type), queue, 4, reconcile) });
    const inUseName = `${queueName(type)}-in-use`;
    const inUseQueue = queueOf(inUseName);
    const inUse = inUseController({ kube, warn, type, issuers: store, issuersNeeded }, inUseQueue);
    ends.push(inUse.stop);
    runs.push({
      name: inUseName,
      queue: inUseQueue,
      run: () => start(inUseName, inUseQueue, 1, inUse.reconcile),
    });
  }
  runs.push({
    name: 'certificate',
    queue: certificateQueue,
    run: () => start('certificate', certificateQueue, settings.concurrency, reconciler(deps)),
  });
  const cacertQueues = {
    accounts: queueOf('cacertaccount'),
    certificates: queueOf('cacertcertificate'),
  };
  const cacert = cacertControllers({
    kube,
    clock,
    metrics,
    warn,
    holder: options.holder,
    leads: options.leads,
    crds: options.crds,
    accounts: options.cacertAccounts,
    allowedEndpoints: settings.allowedEndpoints,
    secretWatches,
    nameClaims,
    stores: {
      accounts: informers.cacertAccounts.store,
      certificates: informers.cacertCertificates.store,
      secrets: informers.secrets.store,
    },
    queues: cacertQueues,
  });
  ends.push(cacert.stop);
  // A call to CAcert holds its worker for as long as signing takes.
  for (const [name, queue, workers, reconcile] of [
    ['cacertaccount', cacertQueues.accounts, 4, cacert.accounts],
    ['cacertcertificate', cacertQueues.certificates, settings.concurrency, cacert.certificates],
  ] as const)
    runs.push({ name, queue, run: () => start(name, queue, workers, reconcile) });
  runs.push({
    name: 'vanished',
    queue: vanishedQueue,
    run: () => start('vanished', vanishedQueue, 1, vanished.reconcile),
  });

  function start(
    name: string,
    queue: WorkQueue,
    concurrency: number,
    reconcile: ReturnType<typeof reconciler>,
  ): Promise<void> {
    return runController(
      {
        name,
        queue,
        concurrency,
        reconcile,
        clock,
        log,
        metrics: metrics.controller,
        forceSignal: stop.forced,
      },
      stop.gentle,
    );
  }

  return {
    queues: runs,
    assertSynced: () => {
      if (!all.every(({ store }) => store.synced)) throw new NotSynced();
    },
    run: async () => {
      if (!(await watchSync(all, clock, log, stop.gentle))) return;
      await Promise.all(runs.map(({ run }) => run()));
    },
    close: async () => {
      for (const end of ends) end();
      watching.abort();
      await Promise.all([recording, ...all.map(({ done }) => done)]);
    },
  };
}

function queueName(type: ResourceType<Issuer>): string {
  return type === issuers ? 'issuer' : 'clusterissuer';
}
