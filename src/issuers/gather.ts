import { CA_BUNDLE_KEY } from '../api/names.ts';
import type { ObjectRef } from '../kube/objects.ts';
import { type BundleText, readSecretText, type SecretText } from '../account/secret-text.ts';
import type { Deps, Issuer } from './deps.ts';

/** All that is decided from. */
export interface Inputs {
  issuer: Issuer;
  namespaced: boolean;
  allowedEndpoints: readonly string[];
  credentials: SecretText;
  /** The Secret of `caBundleSecretRef`, and the key in it. */
  caBundle: BundleText | undefined;
}

/** Reads the Secrets that an issuer names. Live, since they are few and their content is kept nowhere. */
export async function gather(deps: Deps, issuer: Issuer, signal: AbortSignal): Promise<Inputs> {
  const { credentialsSecretRef, caBundleSecretRef } = issuer.spec;
  const read = (name: string): Promise<SecretText> =>
    readSecretText(deps.kube, secretRef(deps, issuer, name), signal);
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

function secretRef(deps: Deps, { metadata }: Pick<Issuer, 'metadata'>, name: string): ObjectRef {
  const namespace = deps.type.namespaced ? (metadata.namespace ?? '') : deps.clusterResourceNamespace;
  return { namespace, name };
}
