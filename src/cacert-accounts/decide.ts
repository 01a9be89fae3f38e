import type { CAcertConnection } from '../account/cacert-account.ts';
import { connectionBlocker, type Plan } from '../account/decide.ts';
import { bundleText, credential } from '../account/secret-text.ts';
import { CACERT_CREDENTIAL_KEYS, CACERT_ENDPOINT } from '../api/names.ts';
import type { Bundle } from '../issuance/cacert/directory.ts';
import { bundleOf } from './bundle.ts';
import type { Inputs } from './gather.ts';

/** How to connect to an account, and what to check its certificates against. */
export interface Connect {
  connection: CAcertConnection;
  bundle: Bundle;
}

/** Decides whether and how to connect to an account. Pure. */
export function decide(inputs: Inputs): Plan<Connect> {
  const blocker = connectionBlocker(inputs, {
    who: 'account',
    publicEndpoint: CACERT_ENDPOINT,
    keys: Object.values(CACERT_CREDENTIAL_KEYS),
  });
  if (blocker) return { do: 'report', ...blocker };
  const { spec } = inputs.resource;
  const ca = spec.caBundle ?? bundleText(inputs.caBundle) ?? '';
  const bundle = bundleOf(ca, spec, inputs.now);
  if ('reason' in bundle) return { do: 'report', ...bundle };
  const { username, password } = CACERT_CREDENTIAL_KEYS;
  const connection = {
    endpoint: spec.endpoint,
    ca,
    credentials: {
      username: credential(inputs.credentials, username),
      password: credential(inputs.credentials, password),
    },
    // An administrator has allowed the endpoint if it is http: `connectionBlocker` refuses any other.
    allowLoopbackHttp: spec.endpoint.startsWith('http:'),
  };
  return { do: 'connect', connection, bundle };
}
