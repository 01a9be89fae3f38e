import type { KeyObject } from 'node:crypto';
import type { Certificate } from './certificate.ts';

/** Why a chain is not valid. */
export type ChainFault =
  | 'LeafIsAuthority'
  | 'UnknownIssuer'
  | 'NotAnAuthority'
  | 'BadSignature'
  | 'Expired'
  | 'TooLong';

export type ChainResult =
  /** `path`: the intermediates from the leaf upwards, without unneeded ones. */
  { ok: true; path: Certificate[] } | { ok: false; reason: ChainFault; message: string };

/** Most intermediates that are accepted, more than any real chain has. Limits how many signatures a hostile answer costs. */
const MOST_INTERMEDIATES = 8;

const messages: Record<ChainFault, string> = {
  LeafIsAuthority: 'the certificate is that of an authority, not of a server or client',
  UnknownIssuer:
    'the certificate was issued neither by the authority nor by an intermediate that came with it',
  NotAnAuthority: 'the certificate was issued by another certificate that is not an authority',
  BadSignature: 'the signature does not verify with the key of the issuer',
  Expired: 'the authority or an intermediate is not valid at this time',
  TooLong: 'more intermediates came with the certificate than are accepted',
};

/**
 * Verifies that the leaf chains to the root through intermediates in any order: names, CA flag and signatures. With `at`
 * (milliseconds since the epoch), root and intermediates must be valid at that time. The caller checks the leaf's dates
 * and decides to trust the root.
 */
export function verifyChain(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  root: Certificate,
  at?: number,
): ChainResult {
  if (leaf.isCa) return fault('LeafIsAuthority');
  if (intermediates.length > MOST_INTERMEDIATES) return fault('TooLong');
  const path: Certificate[] = [];
  const candidates = new Set([root, ...intermediates.filter((candidate) => candidate !== root)]);
  let current = leaf;
  for (;;) {
    const step = findIssuer(current, candidates, at);
    if (typeof step === 'string') return fault(step);
    if (step.raw.equals(root.raw)) return { ok: true, path };
    candidates.delete(step);
    path.push(step);
    current = step;
  }
}

/** The first candidate that issued the certificate, else the most specific reason why none did. */
function findIssuer(
  certificate: Certificate,
  candidates: Iterable<Certificate>,
  at: number | undefined,
): Certificate | ChainFault {
  let reason: ChainFault = 'UnknownIssuer';
  for (const candidate of candidates) {
    if (!candidate.rawSubject.equals(certificate.rawIssuer)) continue;
    if (!candidate.isCa) reason = 'NotAnAuthority';
    else if (!signedBy(certificate, candidate)) reason = 'BadSignature';
    else if (at !== undefined && (at < candidate.notBefore || at > candidate.notAfter)) reason = 'Expired';
    else return candidate;
  }
  return reason;
}

/** Extracting the key of a certificate costs as much as a verification, and an authority's key is needed each time. */
const publicKeys = new WeakMap<Certificate, KeyObject>();

function signedBy(certificate: Certificate, issuer: Certificate): boolean {
  try {
    let key = publicKeys.get(issuer);
    if (!key) {
      key = issuer.x509.publicKey;
      publicKeys.set(issuer, key);
    }
    return certificate.x509.verify(key);
  } catch {
    // OpenSSL throws if it does not know the algorithm of the key or of the signature.
    return false;
  }
}

function fault(reason: ChainFault): ChainResult {
  return { ok: false, reason, message: messages[reason] };
}
