import type { CAcertAccounts } from '../account/cacert-accounts.ts';
import type { SecretWatches } from '../account/secret-watches.ts';
import type { CAcertAccount, CAcertCertificate } from '../api/kinds.ts';
import { controller as accountController } from '../cacert-accounts/controller.ts';
import { reconciler, wire } from '../cacert-certificates/controller.ts';
import type { Deps } from '../cacert-certificates/deps.ts';
import { PendingKeys } from '../cacert-certificates/pending-keys.ts';
import { AttemptMemory } from '../issuance/attempt/memory.ts';
import { CAcertDirectory, cacertAccountKey } from '../issuance/cacert/directory.ts';
import { cacertKind } from '../issuance/cacert/kind.ts';
import { CertificateSecrets } from '../issuance/secret/certificate-secrets.ts';
import type { NameClaims } from '../issuance/secret/name-claims.ts';
import type { Warn } from '../issuance/status/events.ts';
import { LastWritten } from '../issuance/status/last-written.ts';
import { RateLimiter } from '../issuance/status/rate-limit.ts';
import { StatusWriter } from '../issuance/status/writer.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Reconcile } from '../kube/controller/controller.ts';
import type { WorkQueue } from '../kube/controller/queue.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Store } from '../kube/watch/store.ts';
import type { Clock } from '../lib/clock.ts';
import type { Metrics } from '../metrics/registry.ts';

/** What CAcert's controllers share with TinyCert's. */
export interface CAcertOptions {
  kube: KubeClient;
  clock: Clock;
  metrics: Metrics;
  warn: Warn;
  holder: string;
  leads: () => boolean;
  crds: Deps['crds'];
  accounts: CAcertAccounts;
  allowedEndpoints: readonly string[];
  secretWatches: SecretWatches;
  nameClaims: NameClaims;
  stores: {
    accounts: Store<CAcertAccount>;
    certificates: Store<CAcertCertificate>;
    secrets: Store<KubeObject>;
  };
  queues: { accounts: WorkQueue; certificates: WorkQueue };
}

/** CAcert's two controllers, and the function that ends what leads to their keys. */
export function cacertControllers(options: CAcertOptions): {
  accounts: Reconcile;
  certificates: Reconcile;
  stop: () => void;
} {
  const { kube, clock, warn, stores, queues, crds, nameClaims } = options;
  const directory = new CAcertDirectory();
  const accounts = accountController(
    {
      kube,
      clock,
      crds,
      warn,
      resources: stores.accounts,
      written: new LastWritten({ clock }),
      directory,
      accounts: options.accounts,
      secretWatches: options.secretWatches,
      allowedEndpoints: options.allowedEndpoints,
    },
    queues.accounts,
  );
  const written = new LastWritten<CAcertCertificate>({ clock });
  const writtenSecrets = new LastWritten<KubeObject>({ clock });
  const known = new Set<string>();
  const endOfKnown = stores.accounts.subscribe(({ type, object: { metadata } }) => {
    const key = cacertAccountKey(metadata.namespace, metadata.name);
    if (type === 'delete') known.delete(key);
    else known.add(key);
  });
  const deps: Deps = {
    clock,
    timing: cacertKind.timing,
    metrics: options.metrics.cacertCertificates,
    warn,
    holder: options.holder,
    leads: options.leads,
    crds,
    certificates: stores.certificates,
    written,
    secrets: stores.secrets,
    writtenSecrets,
    directory,
    accountExists: (key) => known.has(key),
    wake: (key) => queues.certificates.add(key, { reason: 'turn' }),
    attempts: new AttemptMemory(),
    statuses: new StatusWriter({ kube, clock, kind: cacertKind, crds, written }),
    nameClaims,
    certificateSecrets: new CertificateSecrets({
      kube,
      kind: cacertKind,
      certificates: stores.certificates,
      watched: stores.secrets,
      written: writtenSecrets,
      claims: nameClaims,
    }),
    pendingKeys: new PendingKeys({ kube, written: writtenSecrets }),
    repairLimiter: new RateLimiter(clock),
    reportLimiter: new RateLimiter(clock),
  };
  const endOfWires = wire(deps, queues.certificates);
  return {
    accounts: accounts.reconcile,
    certificates: reconciler(deps),
    stop: () => {
      for (const end of [accounts.stop, endOfKnown, endOfWires]) end();
    },
  };
}
