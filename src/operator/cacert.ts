import { cacertAccounts } from '../api/kinds.ts';
import { controller as accountController } from '../cacert-accounts/controller.ts';
import { certificateLifetimes, reconciler, wakeByUid, wire } from '../cacert-certificates/controller.ts';
import { BY_ACCOUNT, type Deps } from '../cacert-certificates/deps.ts';
import type { CAcertCertificate } from '../api/kinds.ts';
import { PendingKeys } from '../cacert-certificates/pending-keys.ts';
import { type CAcertEntry, readEntry } from '../cacert-certificates/attempt.ts';
import { OpenAttempts } from '../issuance/attempt/open-attempts.ts';
import { CAcertDirectory } from '../issuance/cacert/directory.ts';
import { cacertKind } from '../issuance/cacert/kind.ts';
import { AtRest } from '../account/at-rest.ts';
import { CertificateSecrets } from '../issuance/secret/certificate-secrets.ts';
import { LastWritten } from '../issuance/status/last-written.ts';
import { RateLimiter } from '../issuance/status/rate-limit.ts';
import { StatusWriter } from '../issuance/status/writer.ts';
import { LIST_PRIORITY, type WorkQueue } from '../kube/controller/queue.ts';
import { otherCertificates, type WithCAcert } from './kinds/informers.ts';
import { wakeSharers } from './kinds/installed.ts';
import { known, synced } from './kinds/needs.ts';
import type { CaControllers, Shared } from './shared.ts';

const ACCOUNT_WORKERS = 4;
/** Of the keys of accounts in the directory. */
const ACCOUNT_PREFIX = `${cacertAccounts.kind}:`;

type SharedWithCAcert = Shared & { informers: WithCAcert };

/** Builds CAcert's controllers. */
export function cacertControllers(shared: SharedWithCAcert): CaControllers {
  const { kube, clock, crds, warn, informers, settings } = shared;
  const queues = {
    accounts: shared.queueOf('cacertaccount'),
    certificates: shared.queueOf('cacertcertificate'),
  };
  const directory = new CAcertDirectory();
  const accounts = accountController(
    {
      kube,
      clock,
      crds,
      warn,
      resources: informers.cacertAccounts.store,
      written: new LastWritten({ clock }),
      directory,
      accounts: shared.cacertAccounts,
      secretWatches: shared.secretWatches,
      allowedEndpoints: settings.allowedEndpoints,
    },
    queues.accounts,
  );
  const deps = certificateDeps(shared, directory, queues.certificates);
  const lifetimes = certificateLifetimes(deps, queues.certificates);
  const others = otherCertificates(informers, informers.cacertCertificates);
  const ends = [
    accounts.stop,
    wire(deps, queues.certificates),
    lifetimes.wire(),
    // Also those of an account that was never checked.
    informers.cacertAccounts.store.subscribe(({ type, key }) => {
      if (type !== 'delete') return;
      for (const user of informers.cacertCertificates.store.keysByIndex(
        BY_ACCOUNT,
        `${ACCOUNT_PREFIX}${key}`,
      ))
        queues.certificates.add(user, { reason: 'account', priority: LIST_PRIORITY });
    }),
    ...others.map((other) => wakeSharers(other, informers.cacertCertificates, queues.certificates)),
  ];
  return {
    controllers: [
      {
        name: 'cacertaccount',
        queue: queues.accounts,
        workers: ACCOUNT_WORKERS,
        reconcile: accounts.reconcile,
        needs: [synced(informers.cacertAccounts)],
      },
      {
        name: 'cacertcertificate',
        queue: queues.certificates,
        // A call to CAcert keeps its worker for as long as signing takes.
        workers: settings.concurrency,
        reconcile: lifetimes.bounding(reconciler(deps)),
        needs: [
          synced(informers.cacertCertificates),
          synced(informers.cacertAccounts),
          synced(informers.secrets),
          ...others.map(known),
        ],
        awaitsJournal: true,
      },
    ],
    kept: () => ({
      logins: directory.size,
      cacertAttempts: deps.attempts.size,
      cacertRepairs: deps.repairLimiter.size,
      cacertReports: deps.reportLimiter.size,
      writtenCAcertCertificates: deps.written.size,
    }),
    stop: () => {
      for (const end of ends) end();
    },
  };
}

function certificateDeps(shared: SharedWithCAcert, directory: CAcertDirectory, queue: WorkQueue): Deps {
  const { kube, clock, crds, informers, nameClaims } = shared;
  const { store } = informers.cacertCertificates;
  const secrets = informers.secrets.store;
  const written: Deps['written'] = new LastWritten({ clock });
  const writtenSecrets: Deps['writtenSecrets'] = new LastWritten({ clock });
  const journal: Deps['journal'] = shared.journal.section<CAcertEntry, never>({
    name: 'cacert',
    entry: readEntry,
    record: () => undefined,
    wake: (uid) => wakeByUid(deps, queue, uid),
  });
  const isOpen = ({ metadata }: CAcertCertificate): boolean =>
    journal.view?.entry(metadata.uid ?? '') !== undefined;
  const deps: Deps = {
    clock,
    timing: cacertKind.timing,
    metrics: shared.metrics.cacertCertificates,
    warn: shared.warn,
    leads: shared.leads,
    crds,
    certificates: store,
    written,
    secrets,
    writtenSecrets,
    directory,
    accountExists: (key) =>
      informers.cacertAccounts.store.get(key.slice(ACCOUNT_PREFIX.length)) !== undefined,
    wake: (key) => queue.add(key, { reason: 'turn' }),
    gates: shared.cacertAccounts,
    atRest: new AtRest(directory),
    attempts: new OpenAttempts(),
    journal,
    statuses: new StatusWriter({ kube, clock, kind: cacertKind, crds, written }),
    nameClaims,
    certificateSecrets: new CertificateSecrets({
      kube,
      kind: cacertKind,
      certificates: store,
      watched: secrets,
      written: writtenSecrets,
      claims: nameClaims,
      isOpen,
    }),
    pendingKeys: new PendingKeys({ kube, written: writtenSecrets }),
    ...(shared.generateKey ? { generateKey: shared.generateKey } : {}),
    repairLimiter: new RateLimiter(clock),
    reportLimiter: new RateLimiter(clock),
  };
  return deps;
}
