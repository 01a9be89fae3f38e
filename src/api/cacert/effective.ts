import { createHash } from 'node:crypto';
import { type CAcertCertificateSpec, DEFAULT_KEY_SIZE, KEY_SIZES, type KeySize } from './certificate-spec.ts';

/** The key size that a spec asks for, in bits. */
export function keySize({ privateKey }: Pick<CAcertCertificateSpec, 'privateKey'>): KeySize {
  return KEY_SIZES.find((size) => size === privateKey?.size) ?? DEFAULT_KEY_SIZE;
}

/** The e-mail addresses of a spec in its order. Of addresses that differ only in case, the first spelling stays. */
export function wantedEmails({ emailAddresses }: Pick<CAcertCertificateSpec, 'emailAddresses'>): string[] {
  return [
    ...new Map(emailAddresses.toReversed().map((email) => [email.toLowerCase(), email])).values(),
  ].toReversed();
}

/**
 * Hash of the certificate that a spec requests from CAcert. Order, case and duplicates of addresses do not change it.
 * Neither does a field that a later version adds, unless the spec uses it.
 */
export function cacertSpecHash(spec: CAcertCertificateSpec): string {
  const canonical = JSON.stringify({
    account: spec.accountRef.name,
    commonName: spec.commonName,
    emails: wantedEmails(spec)
      .map((email) => email.toLowerCase())
      .sort(),
    codeSigning: spec.codeSigning === true,
    keySize: keySize(spec),
  });
  return `v1:${createHash('sha256').update(canonical).digest('hex')}`;
}
