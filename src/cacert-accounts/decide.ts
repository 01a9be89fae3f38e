import { firstOf } from '../lib/first-of.ts';
import { endpointRefused } from '../account/allowed-endpoint.ts';
import type { CAcertConnection } from '../account/cacert-account.ts';
import { bundleText, credential, secretsLacking } from '../account/secret-text.ts';
import { CACERT_CREDENTIAL_KEYS, CACERT_ENDPOINT } from '../api/names.ts';
import type { Bundle } from '../issuance/cacert/directory.ts';
import type { Reason } from '../lib/reason.ts';
import { bundleOf } from './bundle.ts';
import type { Inputs } from './gather.ts';

export type Plan =
  | { do: 'connect'; connection: CAcertConnection; bundle: Bundle }
  | ({ do: 'report' } & Reason);

type Policy = (inputs: Inputs) => Reason | undefined;

/** In this order: the first that finds something decides. */
const policies: readonly Policy[] = [endpoint, secrets];

/** Decides whether an account can be asked, and how. Pure. */
export function decide(inputs: Inputs): Plan {
  const reason = firstOf(policies, inputs);
  if (reason) return { do: 'report', ...reason };
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
    // An http endpoint has passed `endpoint`, so that an administrator has named it.
    allowLoopbackHttp: spec.endpoint.startsWith('http:'),
  };
  return { do: 'connect', connection, bundle };
}

function endpoint({ resource, allowedEndpoints: allowed }: Inputs): Reason | undefined {
  const options = { namespaced: true, publicEndpoint: CACERT_ENDPOINT, allowed };
  return endpointRefused(resource.spec.endpoint, 'account', options);
}

function secrets(inputs: Inputs): Reason | undefined {
  return secretsLacking(inputs, Object.values(CACERT_CREDENTIAL_KEYS));
}
