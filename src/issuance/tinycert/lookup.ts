import { type CallOptions, type TinyCertClient, TinyCertError } from '../../tinycert/index.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';

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

/** The CA's certificate with this id; undefined if it has none. Rejects with a `TinyCertError` or an `X509Error`. */
export async function certificateAtCa(
  client: Pick<TinyCertClient, 'getCertificate'>,
  id: number,
  options: CallOptions,
): Promise<Certificate | undefined> {
  const pem = await orGone(() => client.getCertificate(id, 'cert', options));
  return pem === undefined ? undefined : readCertificate(pem);
}

/**
 * Whether the CA's certificate with this id is the given one, by serial number and public key. The rest of a single answer
 * may be wrong, and an authority uses a serial number only once (RFC 5280, 4.1.2.2). Rejects as `certificateAtCa` does.
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
