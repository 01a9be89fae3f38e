import type { Reason } from '../lib/reason.ts';
import { CREDENTIAL_KEYS, PUBLIC_ENDPOINT } from '../api/names.ts';
import type { AccountConnection } from '../account/tinycert-account.ts';
import { isAllowedEndpoint } from '../account/allowed-endpoint.ts';
import { bundleLacking, bundleText, credential, credentialsLacking } from '../account/secret-text.ts';
import type { Inputs } from './gather.ts';

export type Plan = { do: 'connect'; connection: AccountConnection } | ({ do: 'report' } & Reason);

type Policy = (inputs: Inputs) => Reason | undefined;

/** In this order: the first that finds something decides. */
const policies: readonly Policy[] = [endpointRefused, credentials, caBundle];

/** Decides whether an issuer can be connected to, and how. Pure. */
export function decide(inputs: Inputs): Plan {
  for (const policy of policies) {
    const reason = policy(inputs);
    if (reason) return { do: 'report', ...reason };
  }
  return { do: 'connect', connection: connectionOf(inputs) };
}

function endpointRefused({ issuer, namespaced, allowedEndpoints }: Inputs): Reason | undefined {
  const { endpoint } = issuer.spec;
  if (isAllowedEndpoint(endpoint, { namespaced, publicEndpoint: PUBLIC_ENDPOINT, allowed: allowedEndpoints }))
    return undefined;
  return {
    reason: 'EndpointNotAllowed',
    message: `The endpoint ${endpoint} is not allowed: an administrator has to start the operator with --allowed-endpoints=${endpoint}, or the issuer has to use the public one.`,
  };
}

function credentials({ credentials: secret }: Inputs): Reason | undefined {
  return credentialsLacking(secret, Object.values(CREDENTIAL_KEYS));
}

function caBundle({ caBundle: bundle }: Inputs): Reason | undefined {
  return bundleLacking(bundle);
}

function connectionOf({ issuer, credentials: secret, caBundle: bundle }: Inputs): AccountConnection {
  const { endpoint, caBundle: inline } = issuer.spec;
  const ca = inline ?? bundleText(bundle);
  return {
    endpoint,
    ...(ca === undefined ? {} : { ca }),
    credentials: {
      email: credential(secret, CREDENTIAL_KEYS.email),
      passphrase: credential(secret, CREDENTIAL_KEYS.passphrase),
      apiKey: credential(secret, CREDENTIAL_KEYS.apiKey),
    },
    // An http endpoint has passed `endpointRefused`, so that an administrator has named it.
    allowLoopbackHttp: endpoint.startsWith('http:'),
  };
}
