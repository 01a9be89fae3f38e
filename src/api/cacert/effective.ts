import { createHash } from 'node:crypto';
import { type CAcertCertificateSpec, DEFAULT_KEY_SIZE, KEY_SIZES, type KeySize } from './certificate-spec.ts';

/** How many bits the key of a spec has. */
export function keySize({ privateKey }: Pick<CAcertCertificateSpec, 'privateKey'>): KeySize {
  return KEY_SIZES.find((size) => size === privateKey?.size) ?? DEFAULT_KEY_SIZE;
}

/** The e-mail addresses that a spec asks for, in its order: each once, in whatever case it is written. */
export function wantedEmails({ emailAddresses }: Pick<CAcertCertificateSpec, 'emailAddresses'>): string[] {
  return [
    ...new Map(emailAddresses.toReversed().map((email) => [email.toLowerCase(), email])).values(),
  ].toReversed();
}

/**
 * A hash of what a spec asks CAcert for. Order, case and duplicates of addresses do not change it, and neither do fields
 * that a later version adds and a spec does not use.
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
