import { connectionBlocker, type Plan } from '../account/decide.ts';
import { bundleText, credential } from '../account/secret-text.ts';
import type { AccountConnection } from '../account/tinycert-account.ts';
import { CREDENTIAL_KEYS, PUBLIC_ENDPOINT } from '../api/names.ts';
import type { Inputs } from './gather.ts';

/** Decides whether and how to connect an issuer to its account. Pure. */
export function decide(inputs: Inputs): Plan<{ connection: AccountConnection }> {
  const blocker = connectionBlocker(inputs, {
    who: 'issuer',
    publicEndpoint: PUBLIC_ENDPOINT,
    keys: Object.values(CREDENTIAL_KEYS),
  });
  return blocker ? { do: 'report', ...blocker } : { do: 'connect', connection: connectionOf(inputs) };
}

function connectionOf({ resource, credentials: secret, caBundle: bundle }: Inputs): AccountConnection {
  const { endpoint, caBundle: inline } = resource.spec;
  const ca = inline ?? bundleText(bundle);
  return {
    endpoint,
    ...(ca === undefined ? {} : { ca }),
    credentials: {
      email: credential(secret, CREDENTIAL_KEYS.email),
      passphrase: credential(secret, CREDENTIAL_KEYS.passphrase),
      apiKey: credential(secret, CREDENTIAL_KEYS.apiKey),
    },
    // An administrator has allowed the endpoint if it is http: `connectionBlocker` refuses any other.
    allowLoopbackHttp: endpoint.startsWith('http:'),
  };
}
