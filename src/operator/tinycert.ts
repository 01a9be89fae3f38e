import { certificates, issuers } from '../api/kinds.ts';
import type { CertificateRef } from '../api/tinycert/identity.ts';
import { OpenAttempts } from '../issuance/attempt/open-attempts.ts';
import { accountOfOwner, readAttempt } from '../issuance/tinycert/attempt.ts';
import { readGivenUp } from '../issuance/tinycert/records.ts';
import { AtRest } from '../account/at-rest.ts';
import { CertificateSecrets } from '../issuance/secret/certificate-secrets.ts';
import { LastWritten } from '../issuance/status/last-written.ts';
import { RateLimiter } from '../issuance/status/rate-limit.ts';
import { StatusWriter } from '../issuance/status/writer.ts';
import { LeftoverSecrets } from '../issuance/tinycert/inventory/leftover-secrets.ts';
import { LossSigns } from '../issuance/tinycert/inventory/loss-signs.ts';
import { Observations } from '../issuance/tinycert/inventory/observations.ts';
import { IssuerDirectory, issuerKey } from '../issuance/tinycert/issuer-directory.ts';
import { tinycertKind } from '../issuance/tinycert/kind.ts';
import { IssuersNeeded } from '../issuance/tinycert/revocations/issuers-needed.ts';
import { LastSessions } from '../issuance/tinycert/revocations/last-sessions.ts';
import { installationSealer } from '../issuance/tinycert/seal.ts';
import { ResealPace } from '../issuance/tinycert/reseal-pace.ts';
import { LIST_PRIORITY, type WorkQueue } from '../kube/controller/queue.ts';
import { keyOf } from '../kube/objects.ts';
import { SharedCall } from '../lib/shared-call.ts';
import { BY_ISSUER, type Deps as CertificateDeps } from '../tinycert-certificates/context/deps.ts';
import { RevocationRetries } from '../tinycert-certificates/context/revocation-retries.ts';
import {
  accountsWithAttempt,
  SECTION,
  uidsWithAttemptAt,
} from '../tinycert-certificates/context/attempts.ts';
import { certificateLifetimes, reconciler, wakeByOwner, wire } from '../tinycert-certificates/controller.ts';
import { Unfinalized } from '../tinycert-certificates/deletion/unfinalized.ts';
import { controller as issuerController } from '../tinycert-issuers/controller.ts';
import type { Issuer } from '../tinycert-issuers/deps.ts';
import { inUseController } from '../tinycert-issuers/in-use.ts';
import { Inventory } from '../tinycert-issuers/inventory.ts';
import { otherCertificates } from './kinds/informers.ts';
import { onInstalled, wakeSharers } from './kinds/installed.ts';
import { IssuerKinds } from './kinds/issuer-kinds.ts';
import { known, synced } from './kinds/needs.ts';
import { knownResources, listAll, strays } from './resources.ts';
import type { CaControllers, Shared } from './shared.ts';
import type { WatchedKind } from './kinds/watched-kind.ts';

/** A check of an issuer is a few calls, and there are few issuers. */
const ISSUER_WORKERS = 4;

/** Builds TinyCert's controllers. */
export function tinycertControllers(shared: Shared): CaControllers {
  const { informers, settings } = shared;
  const queues = {
    certificates: shared.queueOf('certificate'),
    unfinalized: shared.queueOf('unfinalized'),
  };
  const issuerKinds = new IssuerKinds(informers);
  const directory = new IssuerDirectory();
  const issuersNeeded = new IssuersNeeded(informers.certificates.store);
  const sessions = new LastSessions({
    directory,
    accounts: shared.accounts,
    isNeeded: (key) => issuersNeeded.count(key) > 0,
    isAccountNeeded: (account) =>
      issuersNeeded.isAccountNeeded(account) || uidsWithAttemptAt(deps.journal.view, account).length > 0,
  });
  issuersNeeded.onChange((key) => sessions.review(key));
  issuersNeeded.onAccountChange((account) => sessions.reviewAccount(account));
  const wake = (owner: string): void => {
    if (!isIssuerKey(owner)) return wakeByOwner(deps, queues.certificates, unfinalized, owner);
    queues.unfinalized.add(owner, { reason: 'journal' });
    for (const { checks } of pairs) checks(owner);
  };
  const deps: CertificateDeps = certificateDeps(shared, {
    issuerKinds,
    directory,
    sessions,
    queue: queues.certificates,
    wake,
    listAgain: (issuer, moment, signal) => inventory.listAgain(issuer, moment, signal),
  });
  const unfinalized: Unfinalized = new Unfinalized(deps, queues.unfinalized);
  const inventory: Inventory = new Inventory({
    clock: shared.clock,
    directory,
    resources: () => knownResources(deps, unfinalized),
    issuers: () => issuerKinds.watched(),
    observations: deps.observations,
    lossSigns: deps.lossSigns,
    listCertificates: deps.listCertificates,
    journal: deps.journal,
    leftoverSecrets: deps.leftoverSecrets,
  });
  const lifetimes = certificateLifetimes(deps, queues.certificates, unfinalized);
  const parts: IssuerParts = { directory, inventory, issuersNeeded, unfinalized };
  const pairs = issuerKinds.kinds.map((kind) => ({ kind, ...issuerControllers(shared, kind, parts) }));
  const others = otherCertificates(informers, informers.certificates);
  const ends = [
    wire(deps, queues.certificates, unfinalized),
    lifetimes.wire(),
    unfinalized.wire(),
    issuersNeeded.wire(),
    sessions.wire(),
    ...others.map((other) => wakeSharers(other, informers.certificates, queues.certificates)),
    ...issuerKinds.kinds.map((kind) => wakeNamers(kind, informers, unfinalized, queues)),
    ...issuerKinds.kinds.map((kind) => wakeAbandoned(kind, informers, queues.certificates)),
    ...pairs.map(({ stop }) => stop),
  ];

  const someIssuers = issuerKinds.kinds.map(known);
  const certificateNeeds = [
    synced(informers.certificates),
    synced(informers.secrets),
    ...others.map(known),
    ...someIssuers,
  ];
  return {
    controllers: [
      ...pairs.flatMap(({ kind, check, inUse }) => [
        // The inventory decides which certificates nobody has, so it needs what the certificates' controller needs.
        { ...check, workers: ISSUER_WORKERS, needs: [synced(kind), ...certificateNeeds] },
        { ...inUse, workers: 1, needs: [synced(kind), known(informers.certificates)] },
      ]),
      {
        name: 'certificate',
        queue: queues.certificates,
        workers: settings.concurrency,
        reconcile: lifetimes.bounding(reconciler(deps)),
        needs: certificateNeeds,
        awaitsJournal: true,
      },
      {
        name: 'unfinalized',
        queue: queues.unfinalized,
        workers: 1,
        reconcile: unfinalized.reconcile,
        needs: [synced(informers.certificates), ...someIssuers],
      },
    ],
    kept: () => ({
      issuers: directory.size,
      watchedSecrets: shared.secretWatches.size,
      attempts: deps.attempts.size,
      observations: deps.observations.size,
      lossSigns: deps.lossSigns.size,
      reseals: deps.resealPace.size,
      revocations: deps.revocationRetries.size,
      repairs: deps.repairLimiter.size,
      reports: deps.reportLimiter.size,
      writtenCertificates: deps.writtenCertificates.size,
      ...shared.accounts.size,
    }),
    stop: () => {
      for (const end of ends) end();
    },
  };
}

interface CertificateParts {
  issuerKinds: IssuerKinds;
  directory: IssuerDirectory;
  sessions: LastSessions;
  queue: WorkQueue;
  /** Queues what the journal wakes. */
  wake: (owner: string) => void;
  listAgain: CertificateDeps['listAgain'];
}

/** Whether what the journal wakes is an issuer. */
function isIssuerKey(owner: string): boolean {
  return owner.includes(':');
}

function certificateDeps(
  shared: Shared,
  { issuerKinds, directory, sessions, queue, wake, listAgain }: CertificateParts,
): CertificateDeps {
  const { kube, clock, crds, informers, nameClaims } = shared;
  const { namespaces, unclaimedWaitMs } = shared.settings;
  const { store } = informers.certificates;
  const secrets = informers.secrets.store;
  const writtenCertificates: CertificateDeps['writtenCertificates'] = new LastWritten({ clock });
  const writtenSecrets: CertificateDeps['writtenSecrets'] = new LastWritten({ clock });
  const list = new SharedCall((signal) => listAll(kube, certificates, namespaces, signal));
  const journal: CertificateDeps['journal'] = shared.journal.section({
    name: SECTION,
    entry: readAttempt,
    record: readGivenUp,
    wake,
    removed: (owner) => sessions.reviewAccount(accountOfOwner(owner)),
  });
  return {
    kube,
    clock,
    timing: tinycertKind.timing,
    metrics: shared.metrics.certificates,
    warn: shared.warn,
    warnOperator: shared.warnOperator,
    leads: shared.leads,
    crds,
    certificates: store,
    secrets,
    listCertificates: (signal) => list.get(signal),
    installation: installationSealer(shared.sealKey),
    directory,
    issuerExists: (key) => issuerKinds.exists(key),
    issuerIsDeleted: (key) => issuerKinds.isDeleted(key),
    issuerKindInstalled: (key) => issuerKinds.isInstalled(key),
    wake: (key) => queue.add(key, { reason: 'turn' }),
    gates: shared.accounts,
    atRest: new AtRest(directory),
    adopting: new Set(),
    attempts: new OpenAttempts<CertificateRef>(),
    journal,
    observations: new Observations(),
    lossSigns: new LossSigns(tinycertKind.timing),
    listAgain,
    unclaimedWaitMs,
    resealPace: new ResealPace(clock),
    revocationRetries: new RevocationRetries(),
    lastSessions: sessions,
    leftoverSecrets: new LeftoverSecrets({ kube, strays: () => strays({ nameClaims, secrets }) }),
    repairLimiter: new RateLimiter(clock),
    reportLimiter: new RateLimiter(clock),
    writtenCertificates,
    statuses: new StatusWriter({ kube, clock, kind: tinycertKind, crds, written: writtenCertificates }),
    writtenSecrets,
    nameClaims,
    certificateSecrets: new CertificateSecrets({
      kube,
      kind: tinycertKind,
      certificates: store,
      watched: secrets,
      written: writtenSecrets,
      claims: nameClaims,
      isOpen: ({ metadata: { uid = '' } }) => accountsWithAttempt(journal.view, uid).length > 0,
    }),
  };
}

interface IssuerParts {
  directory: IssuerDirectory;
  inventory: Inventory;
  issuersNeeded: IssuersNeeded;
  unfinalized: Unfinalized;
}

/** The two controllers of one issuer kind: `check` keeps the directory and status, `inUse` the finalizer. */
function issuerControllers(
  shared: Shared,
  kind: WatchedKind<Issuer>,
  { directory, inventory, issuersNeeded, unfinalized }: IssuerParts,
) {
  const { kube, clock, warn } = shared;
  const { type, store } = kind;
  const name = type.plural === issuers.plural ? 'issuer' : 'clusterissuer';
  const queue = shared.queueOf(name);
  const inUseQueue = shared.queueOf(`${name}-in-use`);
  const check = issuerController(
    {
      kube,
      clock,
      crds: shared.crds,
      warn,
      type,
      issuers: store,
      writtenIssuers: new LastWritten({ clock }),
      directory,
      accounts: shared.accounts,
      secretWatches: shared.secretWatches,
      inventory,
      owners: [
        ({ key }) => unfinalized.review(`${type.kind}:${key}`),
        ({ key }) => inventory.forget(`${type.kind}:${key}`),
      ],
      clusterResourceNamespace: shared.namespace,
      allowedEndpoints: shared.settings.allowedEndpoints,
    },
    queue,
  );
  const inUse = inUseController({ kube, warn, type, issuers: store, issuersNeeded }, inUseQueue);
  return {
    check: { name, queue, reconcile: check.reconcile },
    /** Checks the issuer of this key of the directory, if it is of this kind. */
    checks: (issuerKey: string) => {
      if (issuerKey.startsWith(`${type.kind}:`))
        queue.add(issuerKey.slice(type.kind.length + 1), { reason: 'journal' });
    },
    inUse: { name: `${name}-in-use`, queue: inUseQueue, reconcile: inUse.reconcile },
    stop: () => {
      check.stop();
      inUse.stop();
    },
  };
}

/** Requeues the certificates of an issuer that goes, whether this process has ever checked it or not: they report that. */
function wakeAbandoned(
  { type: { kind }, store }: WatchedKind<Issuer>,
  { certificates: users }: Pick<Shared['informers'], 'certificates'>,
  queue: WorkQueue,
): () => void {
  return store.subscribe(({ type, key, object, previous }) => {
    const isGoing = ({ metadata }: Issuer): boolean => metadata.deletionTimestamp !== undefined;
    if (type !== 'delete' && (!isGoing(object) || (previous && isGoing(previous)))) return;
    for (const user of users.store.keysByIndex(BY_ISSUER, `${kind}:${key}`))
      queue.add(user, { reason: 'issuer', priority: LIST_PRIORITY });
  });
}

/** Once an issuer kind has been installed, requeues everything that names an issuer of this kind. */
function wakeNamers(
  kind: WatchedKind<Issuer>,
  { certificates: { store } }: Pick<Shared['informers'], 'certificates'>,
  unfinalized: Unfinalized,
  queues: { certificates: WorkQueue; unfinalized: WorkQueue },
): () => void {
  const again = { reason: 'installed', priority: LIST_PRIORITY };
  return onInstalled(kind, () => {
    for (const certificate of store.values())
      if (certificate.spec.issuerRef.kind === kind.type.kind)
        queues.certificates.add(keyOf(certificate), again);
    for (const { spec, metadata } of unfinalized.pending())
      if (spec.issuerRef.kind === kind.type.kind)
        queues.unfinalized.add(issuerKey(spec.issuerRef, metadata.namespace), again);
  });
}
