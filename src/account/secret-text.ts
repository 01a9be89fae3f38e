import type { KubeClient } from '../kube/client.ts';
import { type ObjectRef, refKey, type Secret, secrets } from '../kube/objects.ts';
import type { Reason } from '../lib/reason.ts';
import { trimEndOf } from '../lib/text.ts';
import type { ReadSecret } from './secret-watches.ts';

/** A Secret that a resource names for its account: its content as text, if it exists. */
export type SecretText = { ref: ObjectRef } & (
  | { found: true; version: string; text: Record<string, string> }
  | { found: false }
);

/** A bundle of certificates in a Secret, and the key in it. */
export type BundleText = SecretText & { key: string };

/** The Secrets that a resource names for its account. */
export interface AccountSecrets {
  credentials: SecretText;
  /** The Secret of `caBundleSecretRef`. */
  caBundle: BundleText | undefined;
}

/** How a spec names the Secrets of its account. */
export interface AccountSecretRefs {
  credentialsSecretRef: { name: string };
  caBundleSecretRef?: { name: string; key?: string | undefined } | undefined;
}

/**
 * Reads the Secrets of an account, live: they are few, and their content is cached nowhere. `bundleKey`: the key of the
 * bundle if the spec names none. Rejects with an `ApiError`.
 */
export async function readAccountSecrets(
  kube: Pick<KubeClient, 'find'>,
  namespace: string,
  { credentialsSecretRef, caBundleSecretRef }: AccountSecretRefs,
  bundleKey: string,
  signal: AbortSignal,
): Promise<AccountSecrets> {
  const read = ({ name }: { name: string }): Promise<SecretText> =>
    readSecretText(kube, { namespace, name }, signal);
  const [credentials, caBundle] = await Promise.all([
    read(credentialsSecretRef),
    caBundleSecretRef ? read(caBundleSecretRef) : undefined,
  ]);
  return { credentials, caBundle: caBundle && { ...caBundle, key: caBundleSecretRef?.key ?? bundleKey } };
}

async function readSecretText(
  kube: Pick<KubeClient, 'find'>,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<SecretText> {
  const secret = await kube.find(secrets, ref, { signal });
  return secret
    ? { ref, found: true, version: secret.metadata.resourceVersion ?? '', text: texts(secret) }
    : { ref, found: false };
}

/** The Secrets that were read, with the versions that were found. */
export function readVersions(read: readonly (SecretText | undefined)[]): ReadSecret[] {
  return read
    .filter((secret) => secret !== undefined)
    .map((secret) => ({ ref: secret.ref, version: secret.found ? secret.version : '' }));
}

/** Why the content of its Secrets does not suffice to connect to an account. `keys`: the keys of the credentials. */
export function secretsLacking(
  { credentials, caBundle }: AccountSecrets,
  keys: readonly string[],
): Reason | undefined {
  return credentialsLacking(credentials, keys) ?? bundleLacking(caBundle);
}

/** Why credentials cannot be used: the Secret does not exist, or lacks one of `keys`. */
function credentialsLacking(secret: SecretText, keys: readonly string[]): Reason | undefined {
  const wanted = keys.join(keys.length > 2 ? ', ' : ' and ');
  if (!secret.found) {
    return {
      reason: 'CredentialsNotFound',
      message: `The Secret ${refKey(secret.ref)} does not exist: create it with the keys ${wanted}.`,
    };
  }
  const missing = keys.filter((key) => !secret.text[key]?.trim());
  if (missing.length === 0) return undefined;
  return {
    reason: 'CredentialsIncomplete',
    message: `The Secret ${secret.ref.name} lacks ${missing.join(', ')}: it needs the keys ${wanted}.`,
  };
}

/** Why a bundle cannot be used that a Secret has to contain. */
function bundleLacking(bundle: BundleText | undefined): Reason | undefined {
  if (!bundle || bundleText(bundle)?.includes('-----BEGIN CERTIFICATE-----')) return undefined;
  return {
    reason: 'CABundleNotFound',
    message: `The Secret ${bundle.ref.name} must hold certificates in PEM under the key ${bundle.key}.`,
  };
}

/** The bundle in a Secret. */
export function bundleText(bundle: BundleText | undefined): string | undefined {
  return bundle?.found ? bundle.text[bundle.key] : undefined;
}

/** A credential, without line breaks at its end: people leave them in files that they make Secrets from. */
export function credential(secret: SecretText, key: string): string {
  return trimEndOf(secret.found ? (secret.text[key] ?? '') : '', '\r\n');
}

function texts({ data = {} }: Secret): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
}
