import * as der from './der.ts';
import type { KeyPair } from './keys.ts';
import type { HashMethod } from '../types.ts';
import { authorityKeyIdentifier, extension, signatureAlgorithm, signed } from './x509.ts';

const HOURS_TO_NEXT = 8;
const REASON = der.oid('2.5.29.21');
const CERTIFICATE_HOLD = 6;

export interface CrlEntry {
  serial: number;
  /** Unix seconds. */
  revokedAt: number;
  /** On hold. Only these entries have a reason, since the service accepts none. */
  hold: boolean;
}

/** A DER revocation list, version 2, valid for eight hours. */
export function revocationList(
  issuer: Buffer,
  key: KeyPair,
  hash: HashMethod,
  entries: readonly CrlEntry[],
  options: { number: number; now: number },
): Buffer {
  const revoked = entries.map((entry) => {
    const plain = [der.integer(entry.serial), der.time(entry.revokedAt)];
    const reason = der.sequence(extension(REASON, false, der.enumerated(CERTIFICATE_HOLD)));
    return der.sequence(...plain, ...(entry.hold ? [reason] : []));
  });
  const number = extension(der.oid('2.5.29.20'), false, der.integer(options.number));
  const body = der.sequence(
    der.integer(1),
    signatureAlgorithm(key, hash),
    issuer,
    der.time(options.now),
    der.time(options.now + HOURS_TO_NEXT * 3600),
    // The list is absent, not empty, when nothing is revoked (RFC 5280, 5.1.2.6).
    ...(revoked.length > 0 ? [der.sequence(...revoked)] : []),
    der.context(0, der.sequence(authorityKeyIdentifier(key), number)),
  );
  return signed(body, key, hash);
}
