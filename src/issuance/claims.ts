import type { Attempt } from '../api/certificate-status.ts';
import type { CertificateDetails, CertificateSummary } from '../tinycert/index.ts';
import { type Names, normalNames, sameNames } from '../x509/names.ts';
import { MAX_CLOCK_SKEW_MS } from './checks.ts';
import { type Request, sameSubject } from './request.ts';

/** Whether a line of the CA's list can be what an attempt bought (rule 7): newer than all it knew of, and its CN. */
export function isCandidate(attempt: Attempt, names: Names, entry: CertificateSummary): boolean {
  const floor = attempt.operation === 'Reissue' ? (attempt.previousId ?? attempt.afterId) : attempt.afterId;
  if (entry.id <= floor || entry.status === 'revoked') return false;
  return normalNames({ ...noNames, commonName: entry.commonName }).commonName === names.commonName;
}

/** Whether a certificate of the CA was asked for with exactly this. */
export function isFor(request: Request, details: CertificateDetails): boolean {
  if (details.otherNames.length > 0) return false;
  const of = (type: string): string[] =>
    details.alternativeNames.filter((name) => name.type === type).map(({ value }) => value);
  const names = normalNames({
    commonName: details.subject.commonName ?? '',
    dns: of('DNS'),
    ip: of('IP'),
    uri: of('URI'),
    email: of('email'),
  });
  return sameNames(names, request.names) && sameSubject(details.subject, request.subject);
}

/**
 * Whether a certificate that begins at `notBefore` can come from an attempt: TinyCert dates a certificate with the
 * moment of issue, nothing of an attempt can happen later than `quietMs` after its start, and clocks differ by minutes at
 * most. What somebody made by hand long after a lost request is not taken for it.
 */
export function isFromWindow(attempt: Attempt, notBefore: number, quietMs: number): boolean {
  const start = Date.parse(attempt.startTime);
  return notBefore >= start - MAX_CLOCK_SKEW_MS && notBefore <= start + quietMs + MAX_CLOCK_SKEW_MS;
}

const noNames: Names = { commonName: '', dns: [], ip: [], uri: [], email: [] };
