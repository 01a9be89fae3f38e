import { type AccountInputs, gatherInputs } from '../account/gather.ts';
import type { CAcertAccount } from '../api/kinds.ts';
import { CA_BUNDLE_KEY } from '../api/names.ts';
import type { Deps } from './deps.ts';

export interface Inputs extends AccountInputs<CAcertAccount> {
  /** Wall clock, milliseconds since the epoch. */
  now: number;
}

/** Reads the Secrets that an account names. */
export async function gather(
  deps: Pick<Deps, 'kube' | 'clock' | 'allowedEndpoints'>,
  resource: CAcertAccount,
  signal: AbortSignal,
): Promise<Inputs> {
  const namespace = resource.metadata.namespace ?? '';
  const options = { namespace, namespaced: true, bundleKey: CA_BUNDLE_KEY };
  return { ...(await gatherInputs(deps, resource, options, signal)), now: deps.clock.now() };
}
