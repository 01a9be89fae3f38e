import { keySize } from '../api/cacert/effective.ts';
import type { ChangedSecret } from '../issuance/secret/certificate-secrets.ts';
import { MaterialError } from '../issuance/secret/check-material.ts';
import type { SecretSource } from '../issuance/secret/outputs.ts';
import type { Reason } from '../lib/reason.ts';
import { X509Error } from '../x509/errors.ts';
import { checkCertificate, checkIssued } from './checks.ts';
import type { Inputs } from './inputs.ts';
import { certificateBeside } from './pending-keys.ts';

/** The result of checking a certificate for the pending key: it can be served, or it has a fault. */
export type Examined = { source: SecretSource } | { fault: Reason };

/** Checks a certificate for the pending key. Undefined while that cannot be decided: no pending key, or no ready account. */
export function examine({ pending, account, certificate, now }: Inputs, pem: string): Examined | undefined {
  if (pending.state !== 'present' || !account?.ready) return undefined;
  if (!pending.key) return { fault: KEY_LOST };
  const isForSpec =
    pending.key.modulusBits === keySize(certificate.spec) &&
    pending.account === certificate.spec.accountRef.name;
  if (!isForSpec) return { fault: REQUEST_CHANGED };
  const { bundle } = account.issuer;
  try {
    return { source: checkIssued(pem, pending.key, { spec: certificate.spec, bundle, now }) };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

/** Checks the certificate that is stored beside the pending key. Undefined if there is none, or while that cannot be decided. */
export function examineBeside(inputs: Inputs): Examined | undefined {
  const pem = certificateBeside(inputs.pending);
  return pem === undefined ? undefined : examine(inputs, pem);
}

/** The fault of the certificate that stands beside the pending key, if it has one. */
export function faultBeside(inputs: Inputs): Reason | undefined {
  const examined = examineBeside(inputs);
  return examined && 'fault' in examined ? examined.fault : undefined;
}

/**
 * What the resource's own Secret should hold: the certificate and key in it, with the chain of the account's bundle, since
 * whoever can write the Secret can put another chain there. Undefined if it does not hold what the spec asks for, or while no
 * account is ready to tell.
 */
export function sourceInSecret({ certificate, secret, account, now }: Inputs): SecretSource | undefined {
  if (secret.state !== 'changed' || !secret.content || !account?.ready) return undefined;
  const { spec } = certificate;
  const { leaf, key } = secret.content;
  if (key.modulusBits !== keySize(spec)) return undefined;
  try {
    const { root, path } = checkCertificate(leaf, { spec, bundle: account.issuer.bundle, now });
    return { leaf, intermediates: path, root, key };
  } catch (error) {
    faultOf(error);
    return undefined;
  }
}

/** Whether the files of a Secret are those of a source for the same certificate and key. */
export function hasFilesOf(
  { hasOutputs, content }: ChangedSecret,
  { root, intermediates }: SecretSource,
): boolean {
  if (!hasOutputs || !content) return false;
  const chain = [root, ...intermediates];
  const present = [content.root, ...content.intermediates];
  return chain.length === present.length && chain.every(({ raw }, i) => present[i]?.raw.equals(raw));
}

const REQUEST_CHANGED: Reason = {
  reason: 'RequestChanged',
  message: 'The spec has changed to another key size or account since the certificate was requested.',
};

const KEY_LOST: Reason = {
  reason: 'PendingKeyLost',
  message: 'Somebody removed or damaged the private key of the certificate.',
};

/** Rethrows any error that is not the result of a check. */
function faultOf(error: unknown): Reason {
  if (error instanceof MaterialError) return { reason: error.code, message: error.message };
  if (error instanceof X509Error)
    return { reason: error.code, message: `It cannot be read: ${error.message}.` };
  throw error;
}
