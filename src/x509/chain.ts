import type { KeyObject } from 'node:crypto';
import { ACCEPTED_AUTHORITY_KEYS, isAcceptedAuthorityKey } from './authority-key.ts';
import type { Certificate } from './certificate.ts';

/** Why a chain is not valid. */
export type ChainFault =
  | 'LeafIsAuthority'
  | 'UnknownIssuer'
  | 'NotAnAuthority'
  | 'KeyNotAccepted'
  | 'BadSignature'
  | 'Expired'
  | 'TooLong';

export type ChainResult =
  /** `path`: the intermediates from the leaf upwards, without unneeded ones. `root`: the one they lead to. */
  { ok: true; path: Certificate[]; root: Certificate } | { ok: false; reason: ChainFault; message: string };

/** Most roots, and most intermediates, that are accepted: more than real chains need. Limits how many signatures hostile ones cost. */
export const MOST_AUTHORITIES = 8;

const messages: Record<ChainFault, string> = {
  LeafIsAuthority: 'the certificate is that of an authority, not of a server or client',
  UnknownIssuer:
    'the certificate was issued neither by the authority nor by an intermediate that came with it',
  NotAnAuthority: 'the certificate was issued by another certificate that is not an authority',
  KeyNotAccepted: `the key of the issuer is not accepted: it must be ${ACCEPTED_AUTHORITY_KEYS}`,
  BadSignature: 'the signature does not verify with the key of the issuer',
  Expired: 'the authority or an intermediate is not valid at this time',
  TooLong: 'more roots or intermediates came with the certificate than are accepted',
};

/** Verifies that the leaf chains to this root, as `findChain` does for several. */
export function verifyChain(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  root: Certificate,
  at?: number,
): ChainResult {
  return findChain(leaf, intermediates, [root], at);
}

/**
 * Verifies that the leaf chains to one of the roots through intermediates in any order: names, CA flag, kinds of keys and
 * signatures. With `at` (milliseconds since the epoch), root and intermediates must be valid at that time. The caller checks
 * the leaf's dates and decides to trust the roots. Verifies the signature of a certificate at most once with each issuer.
 */
export function findChain(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  roots: readonly Certificate[],
  at?: number,
): ChainResult {
  if (leaf.isCa) return fault('LeafIsAuthority');
  if (Math.max(roots.length, intermediates.length) > MOST_AUTHORITIES) return fault('TooLong');
  const path: Certificate[] = [];
  const rootOf = ({ raw }: Certificate): Certificate | undefined =>
    roots.find((root) => root.raw.equals(raw));
  // A root that came again among the intermediates is tried once.
  const candidates = new Set([...roots, ...intermediates.filter((candidate) => !rootOf(candidate))]);
  let current = leaf;
  for (;;) {
    const step = findIssuer(current, candidates, at);
    if (typeof step === 'string') return fault(step);
    const root = rootOf(step);
    if (root) return { ok: true, path, root };
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
    // Before OpenSSL sees the key: some keys make it work for a tenth of a second.
    else if (!isAcceptedAuthorityKey(candidate.rawPublicKey)) reason = 'KeyNotAccepted';
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
