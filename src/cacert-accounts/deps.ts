import type { CAcertAccounts } from '../account/cacert-accounts.ts';
import type { SecretWatches } from '../account/secret-watches.ts';
import type { CAcertAccount } from '../api/kinds.ts';
import { type CAcertDirectory, cacertAccountKey } from '../issuance/cacert/directory.ts';
import type { Warn } from '../issuance/status/events.ts';
import type { LastWritten } from '../issuance/status/last-written.ts';
import type { CrdsFit } from '../issuance/status/outdated-crds.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Store } from '../kube/watch/store.ts';
import type { Clock } from '../lib/clock.ts';

/** What the controller works with. */
export interface Deps {
  kube: KubeClient;
  clock: Clock;
  crds: CrdsFit;
  warn: Warn;
  resources: Store<CAcertAccount>;
  /** This controller's last writes, which its watch may not have shown yet. */
  written: LastWritten<CAcertAccount>;
  directory: CAcertDirectory;
  accounts: CAcertAccounts;
  secretWatches: SecretWatches;
  /** Endpoints that an administrator allows beyond the public one. */
  allowedEndpoints: readonly string[];
  random?: () => number;
}

/** The key of an account in the directory, and as a holder of its login. */
export function holderOf({ metadata: { name, namespace } }: Pick<CAcertAccount, 'metadata'>): string {
  return cacertAccountKey(namespace, name);
}
