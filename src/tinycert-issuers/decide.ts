import { firstOf } from '../lib/first-of.ts';
import type { Reason } from '../lib/reason.ts';
import { CREDENTIAL_KEYS, PUBLIC_ENDPOINT } from '../api/names.ts';
import type { AccountConnection } from '../account/tinycert-account.ts';
import { endpointRefused } from '../account/allowed-endpoint.ts';
import { bundleText, credential, secretsLacking } from '../account/secret-text.ts';
import type { Inputs } from './gather.ts';

export type Plan = { do: 'connect'; connection: AccountConnection } | ({ do: 'report' } & Reason);

type Policy = (inputs: Inputs) => Reason | undefined;

/** In this order: the first that finds something decides. */
const policies: readonly Policy[] = [endpoint, secrets];

/** Decides whether an issuer can be connected to, and how. Pure. */
export function decide(inputs: Inputs): Plan {
  const reason = firstOf(policies, inputs);
  if (reason) return { do: 'report', ...reason };
  return { do: 'connect', connection: connectionOf(inputs) };
}

function endpoint({ issuer, namespaced, allowedEndpoints: allowed }: Inputs): Reason | undefined {
  return endpointRefused(issuer.spec.endpoint, 'issuer', {
    namespaced,
    publicEndpoint: PUBLIC_ENDPOINT,
    allowed,
  });
}

function secrets(inputs: Inputs): Reason | undefined {
  return secretsLacking(inputs, Object.values(CREDENTIAL_KEYS));
}

function connectionOf({ issuer, credentials: secret, caBundle: bundle }: Inputs): AccountConnection {
  const { endpoint: url, caBundle: inline } = issuer.spec;
  const ca = inline ?? bundleText(bundle);
  return {
    endpoint: url,
    ...(ca === undefined ? {} : { ca }),
    credentials: {
      email: credential(secret, CREDENTIAL_KEYS.email),
      passphrase: credential(secret, CREDENTIAL_KEYS.passphrase),
      apiKey: credential(secret, CREDENTIAL_KEYS.apiKey),
    },
    // An http endpoint has passed `endpoint`, so that an administrator has named it.
    allowLoopbackHttp: url.startsWith('http:'),
  };
}
