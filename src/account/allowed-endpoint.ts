import type { Reason } from '../lib/reason.ts';
import { trimEndOf } from '../lib/text.ts';

/**
 * Whether credentials may be sent to an endpoint. Whoever may create a resource in a namespace must not be able to
 * make the operator call any address, so that theirs need an administrator's word; so does plain http, which is for a
 * development server on the same machine.
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

/** Why credentials are not sent to an endpoint; `who` names what has it. */
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
