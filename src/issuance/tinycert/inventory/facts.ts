import type { Account } from '../../../account/tinycert-account.ts';
import { type AuthorityRef, certificateOf } from '../../../api/tinycert/identity.ts';
import type { CallOptions } from '../../../tinycert/index.ts';
import { certificateAtCa, idAt, orGone } from '../lookup.ts';
import { askedFor, namesHash, requestHash } from '../request.ts';

/** The contents of a certificate, beyond its line in the list. */
export interface Facts {
  organizationalUnit: string;
  /** The hash of the request it came from; '' if no request can have its names. */
  requestHash: string;
  /** The hash of its names alone, with the same exception. */
  namesHash: string;
  /** Milliseconds since the epoch, as the CA dated it. */
  notBefore: number;
  notAfter: number;
  serialNumber: string;
}

/**
 * The facts that a certificate itself states; undefined if the CA no longer has it. Rejects with a `TinyCertError` or an
 * `X509Error`.
 */
export async function readFacts(
  account: Account,
  authority: AuthorityRef,
  id: number,
  options: CallOptions,
): Promise<Facts | undefined> {
  const named = certificateOf(authority, id);
  const [details, certificate] = await Promise.all([
    orGone(() => account.client.getCertificateDetails(idAt(account, named), options)),
    certificateAtCa(account, named, options),
  ]);
  if (!details || !certificate) return undefined;
  const request = askedFor(authority.authorityId, details);
  const { notBefore, notAfter, serialNumber } = certificate;
  return {
    organizationalUnit: details.subject.organizationalUnit ?? '',
    requestHash: request ? requestHash(request) : '',
    namesHash: request ? namesHash(request) : '',
    notBefore,
    notAfter,
    serialNumber,
  };
}
