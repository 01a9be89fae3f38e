import type { Reason } from '../lib/reason.ts';
import { endpointRefused } from './allowed-endpoint.ts';
import type { AccountInputs } from './gather.ts';
import { secretsLacking } from './secret-text.ts';

/** What to do about a resource that names an account: connect by means of `C`, or report why that is impossible. */
export type Plan<C extends { connection: object }> = ({ do: 'connect' } & C) | ({ do: 'report' } & Reason);

/**
 * Why an account cannot be connected to: its endpoint is not allowed, or a Secret is missing or lacks a key. Pure. `who`
 * names the kind of resource; `keys` are the credentials' keys.
 */
export function connectionBlocker(
  inputs: AccountInputs<{ spec: { endpoint: string } }>,
  { who, publicEndpoint, keys }: { who: string; publicEndpoint: string; keys: readonly string[] },
): Reason | undefined {
  const { resource, namespaced, allowedEndpoints: allowed } = inputs;
  const options = { namespaced, publicEndpoint, allowed };
  return endpointRefused(resource.spec.endpoint, who, options) ?? secretsLacking(inputs, keys);
}
