import { ANONYMOUS_NAME, type CAcertCertificateSpec } from '../api/cacert/certificate-spec.ts';
import type { CAcertCertificateStatus } from '../api/cacert/certificate-status.ts';
import { wantedEmails } from '../api/cacert/effective.ts';
import type { Bundle } from '../issuance/cacert/directory.ts';
import { checkDates, MaterialError } from '../issuance/secret/check-material.ts';
import type { SecretSource } from '../issuance/secret/outputs.ts';
import { type Certificate, readCertificate } from '../x509/certificate.ts';
import { X509Error } from '../x509/errors.ts';
import { findChain } from '../x509/chain.ts';
import { emailAddressesOf } from '../x509/distinguished-name.ts';
import { normalCommonName } from '../x509/names.ts';
import type { PrivateKey } from '../x509/private-key.ts';

/** What a certificate has to match. */
export interface Expected {
  spec: Pick<CAcertCertificateSpec, 'emailAddresses' | 'commonName' | 'codeSigning'>;
  bundle: Bundle;
  now: number;
}

/** id-kp-clientAuth and id-kp-codeSigning (RFC 5280 section 4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

/** The names of an anonymous member: the first stands in CAcert's code, the second in its policy (CPS 3.1.1). */
const ANONYMOUS: readonly string[] = [ANONYMOUS_NAME, 'CAcert WoT Member'];

/**
 * Checks a certificate that CAcert signed or somebody pasted before it may go into a Secret. Nothing is taken for granted:
 * CAcert silently leaves out whatever the account may not have. Throws a `MaterialError`, or the `X509Error` of the
 * reader; codes and messages of both are fixed texts.
 */
export function checkIssued(pem: string, key: PrivateKey, expected: Expected): SecretSource {
  const leaf = readCertificate(pem);
  if (!key.matches(leaf)) throw failure('InvalidKeyPair', 'The certificate is for another key.');
  const { root, path } = checkCertificate(leaf, expected);
  return { leaf, intermediates: path, root, key };
}

/**
 * Whether an answer holds a certificate that the resource had before it asked, with the same key: it belongs to an earlier request, and
 * what CAcert signed for this one did not arrive. One that cannot be read is not.
 */
export function isFormer(pem: string, key: PrivateKey, status: CAcertCertificateStatus | undefined): boolean {
  if (status?.serialNumber === undefined) return false;
  const leaf = tryRead(pem);
  if (!leaf || !key.matches(leaf)) return false;
  return leaf.serialNumber === status.serialNumber || leaf.notBefore < Date.parse(status.notBefore ?? '');
}

function tryRead(pem: string): Certificate | undefined {
  try {
    return readCertificate(pem);
  } catch (error) {
    if (error instanceof X509Error) return undefined;
    throw error;
  }
}

/** The checks that need no private key. Returns the chain to a root of the bundle. Throws a `MaterialError`. */
export function checkCertificate(
  leaf: Certificate,
  { spec, bundle, now }: Expected,
): { root: Certificate; path: Certificate[] } {
  checkName(leaf, spec.commonName);
  checkEmails(leaf, wantedEmails(spec));
  const usages = leaf.x509.keyUsage ?? [];
  if (!usages.includes(CLIENT_AUTH))
    throw failure('IncorrectCertificate', 'The certificate does not allow client authentication.');
  if (spec.codeSigning && !usages.includes(CODE_SIGNING)) {
    throw failure(
      'IncorrectCertificate',
      'The certificate does not allow code signing, although codeSigning asks for it: the account needs the right to it and 100 assurance points.',
    );
  }
  const chain = chainOf(leaf, bundle);
  checkDates(leaf, now);
  return chain;
}

function checkName({ names: { commonName } }: Certificate, wanted: string | undefined): void {
  const allowed = wanted === undefined ? ANONYMOUS : [wanted];
  if (allowed.some((name) => normalCommonName(name) === commonName)) return;
  const isAnonymous = ANONYMOUS.some((name) => normalCommonName(name) === commonName);
  throw failure(
    'IncorrectCertificate',
    isAnonymous
      ? 'The certificate has no name although commonName asks for one: use one of the names in the account’s status, letter for letter, or leave commonName out.'
      : 'The certificate has another common name than the spec asks for.',
  );
}

function checkEmails(leaf: Certificate, wanted: readonly string[]): void {
  const normal = (emails: readonly string[]): string =>
    [...new Set(emails.map((email) => email.toLowerCase()))].sort().join(' ');
  const found = [...leaf.names.email, ...emailAddressesOf(leaf.rawSubject)];
  if (normal(found) === normal(wanted)) return;
  throw failure('IncorrectCertificate', 'The certificate has other e-mail addresses than the spec asks for.');
}

function chainOf(
  leaf: Certificate,
  { roots, intermediates }: Bundle,
): { root: Certificate; path: Certificate[] } {
  const chain = findChain(leaf, intermediates, roots);
  if (chain.ok) return chain;
  throw failure(
    'IncorrectIssuer',
    'The certificate does not chain to a root of the account’s bundle; is the class 3 certificate missing there?',
  );
}

function failure(code: MaterialError['code'], message: string): MaterialError {
  return new MaterialError(code, message);
}
