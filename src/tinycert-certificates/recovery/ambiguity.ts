import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import { effectiveNames } from '../../api/tinycert/effective.ts';
import {
  type CertificateRef,
  certificateKey,
  certificateOf,
  certificateRef,
  isSameAuthority,
} from '../../api/tinycert/identity.ts';
import { isOpen, previousOf } from '../../issuance/tinycert/attempt.ts';
import { claimsOf, isClaimedByOther } from '../../issuance/tinycert/claims.ts';
import { issuerKey } from '../../issuance/tinycert/issuer-directory.ts';
import type { ReleasedEntries } from '../../issuance/tinycert/released.ts';
import { askedFor, requestHash, requestOf } from '../../issuance/tinycert/request.ts';
import type { CertificateSummary } from '../../tinycert/index.ts';
import { sameNames } from '../../x509/names.ts';
import type { Work } from '../context/work.ts';
import type { RecoveryEvidence } from './evidence.ts';

/** With more unowned or unlisted certificates than this, they are not checked one by one. */
const MAX_CHECKS = 500;

/** A certificate that an attempt may have bought, with all that may speak for another buyer. */
export interface Candidate {
  bought: CertificateRef;
  attempt: Attempt;
  evidence: Pick<RecoveryEvidence, 'listed' | 'named' | 'isAskedFor' | 'mayBeOf' | 'hasKeyOf' | 'seen'>;
  /** All other resources, live. */
  others: readonly TinyCertCertificate[];
  /** What issuers remember of the authority. */
  records: ReleasedEntries;
  /** The other lines of the list with the common name. */
  strangers: readonly CertificateSummary[];
}

type Context = Pick<Work, 'inputs' | 'issuer' | 'signal'> & {
  deps: Pick<Work['deps'], 'directory' | 'leftoverSecrets'>;
};

/**
 * Why it is not certain that the attempt bought a candidate, for the log; undefined if nobody else can have bought it. What
 * cannot be found out counts against it. Rejects with a `TinyCertError` or an `ApiError`.
 */
export async function ambiguity(
  work: Context,
  candidate: Candidate,
): Promise<'claimed' | 'reissued by hand' | 'asked for by another' | 'made elsewhere' | undefined> {
  if (await isClaimed(work, candidate)) return 'claimed';
  if (await isReissuedByHand(candidate)) return 'reissued by hand';
  if (!(await isSole(work, candidate))) return 'asked for by another';
  if (await isForeignSeen(work, candidate)) return 'made elsewhere';
  return undefined;
}

/** Whether another resource has it (`skipClaimed`), or the Secret of a deleted one proves that it had it. */
async function isClaimed(
  { deps, inputs, issuer, signal }: Context,
  { bought, others }: Candidate,
): Promise<boolean> {
  if (isClaimedByOther(inputs.certificate, bought, others)) return true;
  return (await deps.leftoverSecrets.of([bought], issuer.account, signal)).length > 0;
}

/**
 * Whether the candidate may be what somebody reissued by hand from a certificate that another resource has or had
 * (`skipReissued`). The old certificate is then obsolete and no longer listed, and the new one has the same request and a key
 * that is not ours. Reissues form a chain, of which only the end is listed: if another listed certificate has the key of the
 * old one, that is the end, and the candidate is not.
 */
async function isReissuedByHand({ bought, attempt, evidence, others, records }: Candidate): Promise<boolean> {
  // Whatever is above all listed ids was bought after the list.
  const newest = [...evidence.listed].reduce((highest, each) => Math.max(highest, each), 0);
  const had = others.flatMap(({ spec, status }) => {
    const { formerCertificates = [] } = status ?? {};
    const names = [status?.attempt?.commonName, effectiveNames(spec).commonName];
    const present = names.includes(attempt.commonName) ? certificateRef(status) : undefined;
    return [present, ...formerCertificates].filter((ref) => ref !== undefined);
  });
  const all = new Set(
    [...had, ...records.released]
      .filter((ref) => isSameAuthority(ref, attempt))
      .map(({ certificateId }) => certificateId),
  );
  const unlisted = [...all].filter((id) => id <= newest && !evidence.listed.has(id));
  if (unlisted.length > MAX_CHECKS) return true;
  for (const id of unlisted) {
    const each = certificateOf(attempt, id);
    if (!(await evidence.mayBeOf(each))) continue;
    const continuing = [...evidence.named].filter((other) => other > id && other !== bought.certificateId);
    if (continuing.length > MAX_CHECKS || !(await evidence.hasKeyOf(each, continuing))) return true;
  }
  return false;
}

/**
 * Whether nobody else can have bought it (`sole`): no resource asks for the same now, no open attempt of one did
 * (`soleCountsAttempts`), and no abandoned attempt did (`recordAbandoned`).
 */
async function isSole(work: Context, candidate: Candidate): Promise<boolean> {
  const { attempt, bought, others, records } = candidate;
  const { namespace, name } = work.inputs.certificate.metadata;
  // What an earlier resource of this name bought is of use to nobody else.
  const hadRival = records.abandoned.some(
    (other) =>
      (other.namespace !== namespace || other.name !== name) &&
      other.requestHash === attempt.requestHash &&
      bought.certificateId > other.afterId,
  );
  if (hadRival) return false;
  for (const other of others)
    if ((await isAttempting(candidate, other)) || (await isAsking(work, candidate, other))) return false;
  return true;
}

/** A reissue keeps the names and subject of the certificate it starts from, whatever the spec asks for by now. */
async function isAttempting(
  { attempt, evidence }: Candidate,
  { status }: TinyCertCertificate,
): Promise<boolean> {
  const other = status?.attempt;
  if (!other || !isOpen(status) || !isSameAuthority(other, attempt)) return false;
  if (other.operation === 'New') return other.requestHash === attempt.requestHash;
  if (other.commonName !== attempt.commonName) return false;
  const previous = previousOf(other);
  return previous === undefined || evidence.mayBeOf(previous);
}

async function isAsking(
  { deps }: Context,
  { attempt, evidence, bought }: Candidate,
  { spec, metadata }: TinyCertCertificate,
): Promise<boolean> {
  const names = effectiveNames(spec);
  if (names.commonName !== attempt.commonName) return false;
  const issuer = deps.directory.get(issuerKey(spec.issuerRef, metadata.namespace));
  if (!issuer?.ready) {
    // With other names it asks for another certificate, whatever its issuer is.
    const details = evidence.seen(bought);
    const asked = details && askedFor(attempt.authorityId, details);
    return asked === undefined || sameNames(asked.names, names);
  }
  if (!isSameAuthority(issuer.issuer.authority, attempt)) return false;
  const request = requestOf({ spec, metadata }, issuer.issuer, await issuer.issuer.material());
  return requestHash(request) === attempt.requestHash;
}

/**
 * Whether somebody outside this installation has a certificate with exactly these names and subject (`foreignSeen`): one
 * that no resource claims and that nobody here gave up.
 */
async function isForeignSeen(
  { inputs: { certificate } }: Context,
  { attempt, evidence, others, records, strangers }: Candidate,
): Promise<boolean> {
  const known = new Set([
    ...[...others, certificate].flatMap(({ status }) => claimsOf(status)).map(certificateKey),
    ...records.released.map(certificateKey),
  ]);
  const unknown = strangers
    .map(({ id }) => certificateOf(attempt, id))
    .filter((stranger) => !known.has(certificateKey(stranger)));
  if (unknown.length > MAX_CHECKS) return true;
  for (const stranger of unknown) if (await evidence.isAskedFor(stranger)) return true;
  return false;
}
