import { type AccountSecrets, readAccountSecrets } from '../account/secret-text.ts';
import type { CAcertAccount } from '../api/kinds.ts';
import { CA_BUNDLE_KEY } from '../api/names.ts';
import type { Deps } from './deps.ts';

/** All that is decided from. */
export interface Inputs extends AccountSecrets {
  resource: CAcertAccount;
  allowedEndpoints: readonly string[];
  /** Wall clock, milliseconds since the epoch. */
  now: number;
}

/** Reads the Secrets that an account names. */
export async function gather(deps: Deps, resource: CAcertAccount, signal: AbortSignal): Promise<Inputs> {
  const namespace = resource.metadata.namespace ?? '';
  const read = await readAccountSecrets(deps.kube, namespace, resource.spec, CA_BUNDLE_KEY, signal);
  return { ...read, resource, allowedEndpoints: deps.allowedEndpoints, now: deps.clock.now() };
}
