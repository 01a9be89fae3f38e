import type { SecretWatches } from '../account/secret-watches.ts';
import type { TinyCertAccounts } from '../account/tinycert-accounts.ts';
import type { TinyCertClusterIssuer, TinyCertIssuer } from '../api/kinds.ts';
import type { Warn } from '../issuance/status/events.ts';
import type { LastWritten } from '../issuance/status/last-written.ts';
import type { CrdsFit } from '../issuance/status/outdated-crds.ts';
import { type IssuerDirectory, issuerKey } from '../issuance/tinycert/issuer-directory.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Forget } from '../kube/controller/lifetimes.ts';
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
  /** The kind: TinyCertIssuer or TinyCertClusterIssuer. */
  type: ResourceType<Issuer>;
  issuers: Store<Issuer>;
  /** This controller's last writes, which its watch may not have shown yet. */
  writtenIssuers: LastWritten<Issuer>;
  directory: IssuerDirectory;
  accounts: TinyCertAccounts;
  secretWatches: SecretWatches;
  inventory: Pick<Inventory, 'list' | 'found' | 'isPostponed'>;
  /** The namespace of the Secrets of cluster-scoped issuers. */
  clusterResourceNamespace: string;
  /** What others keep for an issuer. */
  owners: readonly Forget[];
  /** Endpoints that an administrator allows beyond the public one. */
  allowedEndpoints: readonly string[];
  random?: () => number;
}

/** The key of an issuer in the directory, and as a holder of its account. */
export function holderOf(
  { type }: Pick<Deps, 'type'>,
  { metadata: { name, namespace } }: Pick<Issuer, 'metadata'>,
): string {
  return issuerKey({ kind: type.namespaced ? 'TinyCertIssuer' : 'TinyCertClusterIssuer', name }, namespace);
}
