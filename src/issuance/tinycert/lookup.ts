import { type CallOptions, type TinyCertClient, TinyCertError } from '../../tinycert/index.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';

/** What the CA answers; undefined if it says that it has no such thing. Rejects with any other `TinyCertError`. */
export async function orGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof TinyCertError && error.kind === 'not-found') return undefined;
    throw error;
  }
}

/** The certificate that the CA has under an id, if it has one. Rejects with a `TinyCertError` or an `X509Error`. */
export async function certificateAtCa(
  client: Pick<TinyCertClient, 'getCertificate'>,
  id: number,
  options: CallOptions,
): Promise<Certificate | undefined> {
  const pem = await orGone(client.getCertificate(id, 'cert', options));
  return pem === undefined ? undefined : readCertificate(pem);
}

/**
 * Whether the CA has a certificate under an id, by serial number and public key: the rest of an answer may be wrong for
 * once, and an authority gives a serial number to one certificate (RFC 5280 4.1.2.2). Rejects as `certificateAtCa`.
 */
export async function isAtCa(
  client: Pick<TinyCertClient, 'getCertificate'>,
  id: number,
  { serialNumber, publicKeyFingerprint }: Pick<Certificate, 'serialNumber' | 'publicKeyFingerprint'>,
  options: CallOptions,
): Promise<boolean> {
  const atCa = await certificateAtCa(client, id, options);
  return atCa?.serialNumber === serialNumber && atCa.publicKeyFingerprint === publicKeyFingerprint;
}
