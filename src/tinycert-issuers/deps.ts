import type { SecretWatches } from '../account/secret-watches.ts';
import type { TinyCertAccounts } from '../account/tinycert-accounts.ts';
import type { TinyCertClusterIssuer, TinyCertIssuer } from '../api/kinds.ts';
import type { Warn } from '../issuance/status/events.ts';
import type { LastWritten } from '../issuance/status/last-written.ts';
import type { CrdsFit } from '../issuance/status/outdated-crds.ts';
import { type IssuerDirectory, issuerKey } from '../issuance/tinycert/issuer-directory.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ResourceType } from '../kube/objects.ts';
import type { Store } from '../kube/watch/store.ts';
import type { Clock } from '../lib/clock.ts';
import type { Inventory } from './inventory.ts';

export type Issuer = TinyCertIssuer | TinyCertClusterIssuer;

/** What the controller of one issuer kind works with. */
export interface Deps {
  kube: KubeClient;
  clock: Clock;
  crds: CrdsFit;
  warn: Warn;
  /** Which of the two kinds. */
  type: ResourceType<Issuer>;
  issuers: Store<Issuer>;
  /** What this controller wrote last, which its watch may not have shown yet. */
  writtenIssuers: LastWritten<Issuer>;
  directory: IssuerDirectory;
  accounts: TinyCertAccounts;
  secretWatches: SecretWatches;
  inventory: Pick<Inventory, 'list' | 'found'>;
  /** Where Secrets of cluster-scoped issuers lie. */
  clusterResourceNamespace: string;
  /** Endpoints an administrator has allowed beyond the public one. */
  allowedEndpoints: readonly string[];
  random?: () => number;
}

/** The directory's key of an issuer; accounts are held by it too. */
export function holderOf(
  { type }: Pick<Deps, 'type'>,
  { metadata: { name, namespace } }: Pick<Issuer, 'metadata'>,
): string {
  return issuerKey({ kind: type.namespaced ? 'TinyCertIssuer' : 'TinyCertClusterIssuer', name }, namespace);
}
