/** What the versions of the Secrets held. */
import type { Issued } from '../ca.ts';
import { isTakenForOwn } from './excuses.ts';
import { authorityOf, byRef, type Evidence, placeOf, refOf, rootOf } from './ledger.ts';
import { namesIn, readSecret } from './secret-check.ts';

/** Findings about versions of Secrets, as sentences. */
interface SecretFindings {
  wrongOwner: string[];
  invalidSecretVersions: string[];
  secretRegressions: string[];
}

/** Reads every version that an operator wrote, and compares it with the wish of its certificate and with what the CA issued. */
export function judgeSecrets(evidence: Evidence): SecretFindings {
  const { history, tags, authorities, certificates } = evidence;
  const wrongOwner: string[] = [];
  const invalidSecretVersions: string[] = [];
  const secretRegressions: string[] = [];
  const highest = new Map<string, number>();
  const known = byRef(certificates);
  for (const { place, revision, at, data } of history.secrets) {
    const name = `Secret ${place} at revision ${revision}`;
    try {
      // The order of the names tells the wish, and the wish the authority that must have signed.
      const tag = tags.of(namesIn(data));
      const authority = tag && authorityOf(authorities, tag);
      if (!tag || !authority) {
        invalidSecretVersions.push(`${name} has a certificate whose names nobody requested`);
        continue;
      }
      const found = readSecret(data, { root: authority.pem, now: at });
      const certificate = known.get(refOf({ ...authority, caId: authority.id, id: found.id }));
      if (certificate?.keyFingerprint !== found.keyFingerprint)
        invalidSecretVersions.push(
          `${name} has ${found.id}, which ${tag.issuer} did not issue with this key`,
        );
      else if ((placeOf(tag) !== place || tag.party === 'person') && !isExcepted(certificate))
        wrongOwner.push(`${name} has ${found.id} of ${placeOf(tag) === '/' ? 'a person' : placeOf(tag)}`);
      const key = `${place} ${tag.issuer} ${tag.set}`;
      const before = highest.get(key) ?? 0;
      if (found.id < before) secretRegressions.push(`${name} has ${found.id} after ${before}`);
      highest.set(key, Math.max(before, found.id));
    } catch (error) {
      invalidSecretVersions.push(`${name}: ${error instanceof Error ? error.message : 'unreadable'}`);
    }
  }
  return { wrongOwner, invalidSecretVersions, secretRegressions };

  function isExcepted(certificate: Issued): boolean {
    return isTakenForOwn(evidence, rootOf(known, certificate));
  }
}
