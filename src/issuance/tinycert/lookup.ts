import type { Account } from '../../account/tinycert-account.ts';
import type { CertificateRef } from '../../api/tinycert/identity.ts';
import { TerminalError } from '../../lib/errors.ts';
import { type CallOptions, type TinyCertClient, TinyCertError } from '../../tinycert/index.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';

/**
 * The id by which an account is asked for a certificate. Throws a `TerminalError` if the certificate is another account's:
 * there the same number names something else.
 */
export function idAt(
  { digest }: Pick<Account, 'digest'>,
  { account, certificateId }: CertificateRef,
): number {
  if (account === digest) return certificateId;
  throw new TerminalError('OtherAccount', `Certificate ${certificateId} belongs to another account.`);
}

/**
 * The CA's answer; undefined if it says twice in a row that it has no such certificate. One such answer may be wrong, and what
 * is believed to be gone is bought again. Rejects with any other `TinyCertError`.
 */
export async function orGone<T>(ask: () => Promise<T>): Promise<T | undefined> {
  for (let denials = 0; ; denials += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof TinyCertError && error.kind === 'not-found')) throw error;
      if (denials > 0) return undefined;
    }
  }
}

/** An account, as far as certificates are read from it. */
export type ReadableAccount = Pick<Account, 'digest'> & { client: Pick<TinyCertClient, 'getCertificate'> };

/**
 * The certificate of this name at the CA; undefined if there is none. Rejects with a `TinyCertError` or an `X509Error`, and
 * with a `TerminalError` if the account is not the one that has it.
 */
export async function certificateAtCa(
  account: ReadableAccount,
  certificate: CertificateRef,
  options: CallOptions,
): Promise<Certificate | undefined> {
  const pem = await orGone(() => account.client.getCertificate(idAt(account, certificate), 'cert', options));
  return pem === undefined ? undefined : readCertificate(pem);
}

/**
 * Whether the CA's certificate with this id is the given one, by serial number and public key. The rest of a single answer
 * may be wrong, and an authority uses a serial number only once (RFC 5280, 4.1.2.2). Rejects as `certificateAtCa` does.
 */
export async function isAtCa(
  account: ReadableAccount,
  certificate: CertificateRef,
  { serialNumber, publicKeyFingerprint }: Pick<Certificate, 'serialNumber' | 'publicKeyFingerprint'>,
  options: CallOptions,
): Promise<boolean> {
  const atCa = await certificateAtCa(account, certificate, options);
  return atCa?.serialNumber === serialNumber && atCa.publicKeyFingerprint === publicKeyFingerprint;
}
