import type { Reason } from '../issuance/resource.ts';
import { CREDENTIAL_KEYS } from '../api/names.ts';
import type { AccountConnection } from '../account/account.ts';
import { refKey } from '../kube/objects.ts';
import { isAllowedEndpoint } from './endpoint.ts';
import type { Inputs } from './gather.ts';

export type Plan = { do: 'connect'; connection: AccountConnection } | ({ do: 'report' } & Reason);

type Policy = (inputs: Inputs) => Reason | undefined;

/** In this order: the first that finds something decides. */
const policies: readonly Policy[] = [
  endpointRefused,
  credentialsAbsent,
  credentialsIncomplete,
  caBundleAbsent,
];

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
  if (isAllowedEndpoint(endpoint, { namespaced, allowed: allowedEndpoints })) return undefined;
  return {
    reason: 'EndpointNotAllowed',
    message: `The endpoint ${endpoint} is not allowed: an administrator has to start the operator with --allowed-endpoints=${endpoint}, or the issuer has to use the public one.`,
  };
}

function credentialsAbsent({ credentials }: Inputs): Reason | undefined {
  if (credentials.found) return undefined;
  return {
    reason: 'CredentialsNotFound',
    message: `The Secret ${refKey(credentials.ref)} does not exist: create it with the keys ${keyList()}.`,
  };
}

function credentialsIncomplete({ issuer, credentials }: Inputs): Reason | undefined {
  if (!credentials.found) return undefined;
  const missing = Object.values(CREDENTIAL_KEYS).filter((key) => !credentials.text[key]?.trim());
  if (missing.length === 0) return undefined;
  return {
    reason: 'CredentialsIncomplete',
    message: `The Secret ${issuer.spec.credentialsSecretRef.name} lacks ${missing.join(', ')}: it needs the keys ${keyList()}.`,
  };
}

function caBundleAbsent({ issuer, caBundle }: Inputs): Reason | undefined {
  if (!caBundle) return undefined;
  const { key } = caBundle;
  if (caBundle.found && caBundle.text[key]?.includes('-----BEGIN CERTIFICATE-----')) return undefined;
  return {
    reason: 'CABundleNotFound',
    message: `The Secret ${issuer.spec.caBundleSecretRef?.name} must hold certificates in PEM under the key ${key}.`,
  };
}

/** A line break at the end is what people leave in a file that they make a Secret of; no credential ends with one. */
function connectionOf({ issuer, credentials, caBundle }: Inputs): AccountConnection {
  const text = (key: string): string =>
    (credentials.found ? (credentials.text[key] ?? '') : '').replace(/[\r\n]+$/, '');
  const { endpoint, caBundle: inline } = issuer.spec;
  const ca = inline ?? (caBundle?.found ? caBundle.text[caBundle.key] : undefined);
  return {
    endpoint,
    ...(ca === undefined ? {} : { ca }),
    credentials: {
      email: text(CREDENTIAL_KEYS.email),
      passphrase: text(CREDENTIAL_KEYS.passphrase),
      apiKey: text(CREDENTIAL_KEYS.apiKey),
    },
    // An http endpoint has passed `endpointRefused`, so that an administrator has named it.
    allowLoopbackHttp: endpoint.startsWith('http:'),
  };
}

function keyList(): string {
  return Object.values(CREDENTIAL_KEYS).join(', ');
}
