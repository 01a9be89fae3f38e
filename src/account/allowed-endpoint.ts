import type { Reason } from '../lib/reason.ts';
import { trimEndOf } from '../lib/text.ts';

/**
 * Whether credentials may be sent to an endpoint. An administrator has to allow any but the public one for a namespaced
 * resource, because its author must not be able to make the operator call arbitrary addresses; and plain http for any
 * resource, because it is for a development server on the same machine only.
 */
export function isAllowedEndpoint(
  endpoint: string,
  options: { namespaced: boolean; publicEndpoint: string; allowed: readonly string[] },
): boolean {
  const url = normal(endpoint);
  if (url === undefined) return false;
  if (options.allowed.some((entry) => normal(entry) === url)) return true;
  if (!url.startsWith('https:')) return false;
  return !options.namespaced || url === normal(options.publicEndpoint);
}

/** Why credentials may not be sent to an endpoint; undefined if they may. `who` names the kind of resource. */
export function endpointRefused(
  endpoint: string,
  who: string,
  options: Parameters<typeof isAllowedEndpoint>[1],
): Reason | undefined {
  if (isAllowedEndpoint(endpoint, options)) return undefined;
  return {
    reason: 'EndpointNotAllowed',
    message: `The endpoint ${endpoint} is not allowed: an administrator has to start the operator with --allowed-endpoints=${endpoint}, or the ${who} has to use the public one.`,
  };
}

function normal(endpoint: string): string | undefined {
  const url = URL.parse(endpoint);
  return url ? `${url.origin}${trimEndOf(url.pathname, '/')}/` : undefined;
}
