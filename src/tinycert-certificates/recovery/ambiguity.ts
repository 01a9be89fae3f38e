import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import { effectiveNames } from '../../api/tinycert/effective.ts';
import { isOpen } from '../../issuance/tinycert/attempt.ts';
import { claimsOf, isClaimedByOther } from '../../issuance/tinycert/claims.ts';
import { type ReadyIssuer, issuerKey } from '../../issuance/tinycert/issuer-directory.ts';
import type { ReleasedEntries } from '../../issuance/tinycert/released.ts';
import { askedFor, requestHash, requestOf } from '../../issuance/tinycert/request.ts';
import type { CertificateSummary } from '../../tinycert/index.ts';
import { sameNames } from '../../x509/names.ts';
import type { Deps } from '../context/deps.ts';
import type { Inputs } from '../context/inputs.ts';
import type { RecoveryEvidence } from './evidence.ts';

/** More certificates without an owner, or gone from the list, than this are not looked at one by one. */
const MAX_LOOKS = 500;

/** A certificate that an attempt may have bought, and all that may speak for another buyer. */
export interface Case {
  deps: Pick<Deps, 'directory' | 'leftoverSecrets'>;
  certificate: Inputs['certificate'];
  issuer: ReadyIssuer;
  attempt: Attempt;
  look: Pick<RecoveryEvidence, 'listed' | 'isAskedFor' | 'mayBeOf' | 'seen'>;
  /** The candidate. */
  id: number;
  /** All other resources, live. */
  others: readonly TinyCertCertificate[];
  /** What the issuers of the authority remember. */
  given: ReleasedEntries;
  /** The other lines of the list with the common name. */
  strangers: readonly CertificateSummary[];
  signal: AbortSignal;
}

/**
 * Why it cannot be told that a certificate is the attempt's own (rule 7), for the log; undefined if nobody else can have
 * bought it. Where something cannot be found out, somebody can. Rejects with a `TinyCertError` or an `ApiError`.
 */
export async function doubt(
  of: Case,
): Promise<'claimed' | 'reissued by hand' | 'asked for by another' | 'made elsewhere' | undefined> {
  if (await isClaimed(of)) return 'claimed';
  if (await isReissueSeen(of)) return 'reissued by hand';
  if (!(await isSole(of))) return 'asked for by another';
  if (await isForeignSeen(of)) return 'made elsewhere';
  return undefined;
}

/** Whether another resource has it (`skipClaimed`), or one had it that is gone and has left its Secret behind. */
async function isClaimed({ deps, certificate, issuer, id, others, signal }: Case): Promise<boolean> {
  if (isClaimedByOther(certificate, id, others)) return true;
  return (await deps.leftoverSecrets.of(new Set([id]), issuer.account, signal)).length > 0;
}

/**
 * Whether somebody may have reissued by hand what another resource has or had (`skipReissued`): it is obsolete then, no
 * longer in the list, and what took its place asks for the same and carries a key that is not ours.
 */
async function isReissueSeen({ attempt, look, others, given }: Case): Promise<boolean> {
  // What is above all that is listed was bought after the list.
  const newest = [...look.listed].reduce((highest, each) => Math.max(highest, each), 0);
  const had = others.flatMap(({ spec, status }) => {
    if (status?.authorityId !== attempt.authorityId) return [];
    const { certificateId, formerCertificateIds = [] } = status;
    const names = [status.attempt?.commonName, effectiveNames(spec).commonName];
    return certificateId !== undefined && names.includes(attempt.commonName)
      ? [certificateId, ...formerCertificateIds]
      : formerCertificateIds;
  });
  const all = new Set([...had, ...given.released.map(({ certificateId }) => certificateId)]);
  const gone = [...all].filter((each) => each <= newest && !look.listed.has(each));
  if (gone.length > MAX_LOOKS) return true;
  for (const each of gone) if (await look.mayBeOf(each)) return true;
  return false;
}

/**
 * Whether nobody else can have bought it (`sole`): no resource that asks for the same now, none whose open attempt did
 * (`soleCountsAttempts`), no attempt that was given up (`recordAbandoned`).
 */
async function isSole(of: Case): Promise<boolean> {
  const { certificate, attempt, id, others, given } = of;
  const { namespace, name } = certificate.metadata;
  // What an earlier resource of this name bought goes nowhere else.
  const wasRival = given.abandoned.some(
    (other) =>
      (other.namespace !== namespace || other.name !== name) &&
      other.requestHash === attempt.requestHash &&
      id > other.afterId,
  );
  if (wasRival) return false;
  for (const other of others)
    if ((await isAttempting(of, other)) || (await isAsking(of, other))) return false;
  return true;
}

/** A reissue keeps the names and subject of the certificate it starts from, whatever a spec says by now. */
async function isAttempting({ attempt, look }: Case, { status }: TinyCertCertificate): Promise<boolean> {
  const other = status?.attempt;
  if (!other || !isOpen(status) || other.authorityId !== attempt.authorityId) return false;
  if (other.operation === 'New') return other.requestHash === attempt.requestHash;
  if (other.commonName !== attempt.commonName) return false;
  return other.previousId === undefined || look.mayBeOf(other.previousId);
}

async function isAsking(
  { deps, attempt, look, id }: Case,
  { spec, metadata }: TinyCertCertificate,
): Promise<boolean> {
  const names = effectiveNames(spec);
  if (names.commonName !== attempt.commonName) return false;
  const issuer = deps.directory.get(issuerKey(spec.issuerRef, metadata.namespace));
  if (!issuer?.ready) {
    // With other names it asks for another certificate, whoever its issuer is.
    const details = look.seen(id);
    const asked = details && askedFor(attempt.authorityId, details);
    return asked === undefined || sameNames(asked.names, names);
  }
  if (issuer.issuer.authority.id !== attempt.authorityId) return false;
  const request = requestOf({ spec, metadata }, issuer.issuer, await issuer.issuer.material());
  return requestHash(request) === attempt.requestHash;
}

/**
 * Whether somebody outside of this installation has a certificate with these very names and subject (`foreignSeen`): one
 * that no resource claims and that nobody here gave up.
 */
async function isForeignSeen({ certificate, look, others, given, strangers }: Case): Promise<boolean> {
  const known = new Set([
    ...[...others, certificate].flatMap(({ status }) => claimsOf(status)),
    ...given.released.map(({ certificateId }) => certificateId),
  ]);
  const unknown = strangers.filter(({ id }) => !known.has(id));
  if (unknown.length > MAX_LOOKS) return true;
  for (const { id } of unknown) if (await look.isAskedFor(id)) return true;
  return false;
}
