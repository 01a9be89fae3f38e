import { type AccountInputs, gatherInputs } from '../account/gather.ts';
import { CA_BUNDLE_KEY } from '../api/names.ts';
import type { Deps, Issuer } from './deps.ts';

export type Inputs = AccountInputs<Issuer>;

/** Reads the Secrets that an issuer names: from its own namespace, or the operator's if it is cluster-scoped. */
export function gather(
  deps: Pick<Deps, 'kube' | 'type' | 'clusterResourceNamespace' | 'allowedEndpoints'>,
  issuer: Issuer,
  signal: AbortSignal,
): Promise<Inputs> {
  const { namespaced } = deps.type;
  const namespace = namespaced ? (issuer.metadata.namespace ?? '') : deps.clusterResourceNamespace;
  return gatherInputs(deps, issuer, { namespace, namespaced, bundleKey: CA_BUNDLE_KEY }, signal);
}
