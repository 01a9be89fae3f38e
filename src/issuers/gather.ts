import { CA_BUNDLE_KEY } from '../api/names.ts';
import { type ObjectRef, type Secret, secrets } from '../kube/objects.ts';
import type { Deps, Issuer } from './deps.ts';
import type { ReadSecret } from './secret-watches.ts';

/** A Secret that an issuer names: its texts, or why they cannot be had. */
export type SecretText = { ref: ObjectRef } & (
  | { found: true; version: string; text: Record<string, string> }
  | { found: false }
);

/** All that is decided from. */
export interface Inputs {
  issuer: Issuer;
  namespaced: boolean;
  allowedEndpoints: readonly string[];
  credentials: SecretText;
  /** The Secret of `caBundleSecretRef`, and the key in it. */
  caBundle: (SecretText & { key: string }) | undefined;
}

/** Reads the Secrets that an issuer names. Live, since they are few and their content is kept nowhere. */
export async function gather(deps: Deps, issuer: Issuer, signal: AbortSignal): Promise<Inputs> {
  const { credentialsSecretRef, caBundleSecretRef } = issuer.spec;
  const read = (name: string): Promise<SecretText> => readSecret(deps, secretRef(deps, issuer, name), signal);
  const [credentials, caBundle] = await Promise.all([
    read(credentialsSecretRef.name),
    caBundleSecretRef ? read(caBundleSecretRef.name) : undefined,
  ]);
  return {
    issuer,
    namespaced: deps.type.namespaced,
    allowedEndpoints: deps.allowedEndpoints,
    credentials,
    caBundle: caBundle && { ...caBundle, key: caBundleSecretRef?.key ?? CA_BUNDLE_KEY },
  };
}

/** The Secrets that were read, and in which version. */
export function readSecrets({ credentials, caBundle }: Inputs): ReadSecret[] {
  return [credentials, ...(caBundle ? [caBundle] : [])].map((secret) => ({
    ref: secret.ref,
    version: secret.found ? secret.version : '',
  }));
}

function secretRef(deps: Deps, { metadata }: Pick<Issuer, 'metadata'>, name: string): ObjectRef {
  const namespace = deps.type.namespaced ? (metadata.namespace ?? '') : deps.clusterResourceNamespace;
  return { namespace, name };
}

async function readSecret(deps: Deps, ref: ObjectRef, signal: AbortSignal): Promise<SecretText> {
  const secret = await deps.kube.find(secrets, ref, { signal });
  return secret
    ? { ref, found: true, version: secret.metadata.resourceVersion ?? '', text: texts(secret) }
    : { ref, found: false };
}

function texts({ data = {} }: Secret): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
}
