import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { type AccountSecrets, type AccountSecretRefs, readAccountSecrets } from './secret-text.ts';

/** Everything that an issuer or account resource is decided from. */
export interface AccountInputs<R> extends AccountSecrets {
  resource: R;
  /** Whether the kind is namespaced: its endpoints are restricted then. */
  namespaced: boolean;
  /** Endpoints that an administrator allows beyond the public one. */
  allowedEndpoints: readonly string[];
}

/** Reads the Secrets that a resource names, from `namespace`. Rejects with an `ApiError`. */
export async function gatherInputs<R extends KubeObject & { spec: AccountSecretRefs }>(
  deps: { kube: Pick<KubeClient, 'find'>; allowedEndpoints: readonly string[] },
  resource: R,
  options: { namespace: string; namespaced: boolean; bundleKey: string },
  signal: AbortSignal,
): Promise<AccountInputs<R>> {
  const { namespace, namespaced, bundleKey } = options;
  const read = await readAccountSecrets(deps.kube, namespace, resource.spec, bundleKey, signal);
  return { ...read, resource, namespaced, allowedEndpoints: deps.allowedEndpoints };
}
