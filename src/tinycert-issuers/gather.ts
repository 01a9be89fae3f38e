import { type AccountSecrets, readAccountSecrets } from '../account/secret-text.ts';
import { CA_BUNDLE_KEY } from '../api/names.ts';
import type { Deps, Issuer } from './deps.ts';

/** All that is decided from. */
export interface Inputs extends AccountSecrets {
  issuer: Issuer;
  namespaced: boolean;
  allowedEndpoints: readonly string[];
}

/** Reads the Secrets that an issuer names. */
export async function gather(deps: Deps, issuer: Issuer, signal: AbortSignal): Promise<Inputs> {
  const { namespaced } = deps.type;
  const namespace = namespaced ? (issuer.metadata.namespace ?? '') : deps.clusterResourceNamespace;
  const read = await readAccountSecrets(deps.kube, namespace, issuer.spec, CA_BUNDLE_KEY, signal);
  return { ...read, issuer, namespaced, allowedEndpoints: deps.allowedEndpoints };
}
