import type { TinyCertCertificate } from '../../api/kinds.ts';
import { effectiveNames } from '../../api/tinycert/effective.ts';
import {
  type CertificateRef,
  certificateKey,
  certificateOf,
  certificateRef,
  isSameAuthority,
} from '../../api/tinycert/identity.ts';
import { type Attempt, nameHash, placeHash, previousOf } from '../../issuance/tinycert/attempt.ts';
import { claimsOf, isClaimedByOther } from '../../issuance/tinycert/claims.ts';
import { issuerKey } from '../../issuance/tinycert/issuer-directory.ts';
import type { RecordsOf } from '../../issuance/tinycert/records.ts';
import { askedFor, requestHash, requestOf } from '../../issuance/tinycert/request.ts';
import type { CertificateSummary } from '../../tinycert/index.ts';
import { sameNames } from '../../x509/names.ts';
import { keyOf } from '../../kube/objects.ts';
import { attemptsOfOthers, hasUnreadableOfOthers } from '../context/attempts.ts';
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
  /** What is on record about the authority. */
  records: RecordsOf;
  /** The other lines of the list with the common name. */
  strangers: readonly CertificateSummary[];
}

type Context = Pick<Work, 'inputs' | 'issuer' | 'signal' | 'view'> & {
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

/** Whether another resource has it or is known to have bought it, or the Secret of a deleted one proves that it had it. */
async function isClaimed(
  { deps, inputs, issuer, view, signal }: Context,
  { bought, others }: Candidate,
): Promise<boolean> {
  if (isClaimedByOther(inputs.certificate, bought, others)) return true;
  const { uid = '' } = inputs.certificate.metadata;
  for (const { certificateId } of attemptsOfOthers(view, uid, bought))
    if (certificateId === bought.certificateId) return true;
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
  const had = others.flatMap(({ status }) =>
    [certificateRef(status), ...(status?.formerCertificates ?? [])].filter((ref) => ref !== undefined),
  );
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
 * Whether nobody else can have bought it: no resource asks for the same now, no open attempt did (`soleCountsEntries`), and no
 * abandoned one did (`recordAbandoned`).
 */
async function isSole(work: Context, candidate: Candidate): Promise<boolean> {
  const { attempt, bought, others, records } = candidate;
  const { certificate } = work.inputs;
  const place = placeHash(keyOf(certificate));
  // What an earlier resource of this name bought is of use to nobody else.
  const hadRival = records.abandoned.some(
    (other) =>
      other.resource !== place &&
      other.requestHash === attempt.requestHash &&
      bought.certificateId > other.afterId,
  );
  if (hadRival) return false;
  const { uid = '' } = certificate.metadata;
  if (hasUnreadableOfOthers(work.view, uid, attempt.account)) return false;
  for (const other of attemptsOfOthers(work.view, uid, attempt))
    if (await mayHaveBought(candidate, other)) return false;
  for (const other of others) if (await isAsking(work, candidate, other)) return false;
  return true;
}

/** A reissue keeps the names and subject of the certificate it starts from, whatever the spec asks for by now. */
async function mayHaveBought({ attempt, evidence }: Candidate, other: Attempt): Promise<boolean> {
  if (other.operation === 'New') return other.requestHash === attempt.requestHash;
  if (other.nameHash !== attempt.nameHash) return false;
  const previous = previousOf(other);
  return previous === undefined || evidence.mayBeOf(previous);
}

async function isAsking(
  { deps }: Context,
  { attempt, evidence, bought }: Candidate,
  { spec, metadata }: TinyCertCertificate,
): Promise<boolean> {
  const names = effectiveNames(spec);
  if (nameHash(names.commonName) !== attempt.nameHash) return false;
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
