/** What an authority publishes over plain HTTP: its certificate, its CRL, and tryLater for OCSP. */
import { revocationList } from '../x509/crl.ts';
import { type Works, seconds } from '../calls/issuing.ts';
import { type Authority, type Store, statusAt } from '../state/store.ts';
import { distinguishedName } from '../x509/x509.ts';

/** OCSPResponse with the status tryLater (RFC 6960, 4.2.1): clients must use the CRL. */
export const OCSP_TRY_LATER = Buffer.from([0x30, 0x03, 0x0a, 0x01, 0x03]);

export interface Publication {
  type: string;
  content: Buffer;
}

/** The publication at a path; undefined if the path is no authority's. */
export function publication(works: Works, method: string, path: string): Publication | undefined {
  const match = /^\/(crl|aia|ocsp)\/ca-(\d{1,15})(?:\.crl|\.crt|\/.*)?$/.exec(path);
  const authority = works.store.authorities.get(Number(match?.[2]));
  if (!match || !authority) return undefined;
  if (match[1] === 'ocsp') return { type: 'application/ocsp-response', content: OCSP_TRY_LATER };
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  return match[1] === 'crl'
    ? { type: 'application/pkix-crl', content: revocationListOf(works, authority) }
    : { type: 'application/pkix-cert', content: authority.der };
}

/** The authority's current CRL: its revoked and held certificates, not the obsolete ones. */
function revocationListOf(works: Works, authority: Authority): Buffer {
  const { subject, key, hashMethod } = authority;
  const now = seconds(works);
  const entries = revokedOf(works.store, authority.id, now);
  return revocationList(distinguishedName(subject), key, hashMethod, entries, { number: now, now });
}

function revokedOf(
  store: Store,
  caId: number,
  now: number,
): { serial: number; revokedAt: number; hold: boolean }[] {
  const entries = [];
  for (const certificate of store.certificatesOf(caId)) {
    const status = statusAt(certificate, now);
    if (status !== 'revoked' && status !== 'hold') continue;
    const { id, revokedAt = certificate.notBefore } = certificate;
    entries.push({ serial: id, revokedAt, hold: status === 'hold' });
  }
  return entries;
}
