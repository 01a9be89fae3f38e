import { type CertificateRef, certificateKey, isSameCertificate } from '../../api/tinycert/identity.ts';
import type { OpenAttempt } from '../../issuance/tinycert/attempt.ts';
import { isMarked } from '../../issuance/tinycert/marker.ts';
import { abandoned, type RecordsOf, released, type Released } from '../../issuance/tinycert/records.ts';
import type { Recording } from '../../journal/group.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { Work } from '../context/work.ts';
import type { Verdict } from '../decide/after-recovery.ts';
import { ambiguity } from './ambiguity.ts';
import { RecoveryEvidence } from './evidence.ts';

/** The result of a recovery. */
export interface Recovery {
  verdict: Verdict;
  /** What the write that ends the attempt puts on record: the attempt, and what it may have bought besides. */
  records: readonly Recording[];
  /** A key, a marker or the resource's own Secret proves what it bought. */
  isProved?: boolean;
  /** Nothing that it can have bought was found. */
  boughtNothing?: boolean;
}

/** What a recovery found at the CA. */
interface Findings {
  /** What the attempt bought: nobody else can have it. */
  own?: CertificateRef;
  /** A key or a marker proves that, and not that nobody else asks for the same. */
  isProved?: boolean;
  /** What it may have bought. */
  candidates: readonly CertificateRef[];
  /** What it may have bought, and the CA lists and does not hand out. */
  kept?: readonly CertificateRef[];
  /** What to ask the CA for instead. */
  again: 'New' | 'Reissue';
  /** The hash of its request, if that is not its own. */
  requestHash?: string | undefined;
}

/**
 * Finds out what an attempt bought, once it can have no further effect. The order matters: the previous certificate is read
 * before the CA's list, so that an obsolete one has its successor there; the CA's list is read before the cluster's, so that
 * whatever claims a listed certificate is in the cluster's. It writes nothing. Rejects with a `TinyCertError`, or with an
 * `ApiError` if the resource or its Secret changed meanwhile.
 */
export async function recover(work: Work, open: OpenAttempt): Promise<Recovery> {
  const evidence = new RecoveryEvidence(work, open.attempt);
  const held = await evidence.inOwnSecret();
  const look = open.attempt.operation === 'Reissue' ? recoverReissue : recoverNew;
  const recovery = conclusion(work, open, await look(work, open, evidence), held);
  work.log.info({ attempt: open.id, verdict: recovery.verdict }, 'Found out what an attempt bought');
  return recovery;
}

/**
 * What the resource's own Secret holds comes before what is only likely (`ownSecret`). What a key or a marker proves to be later
 * comes before that. What the attempt may have bought besides is put on record.
 */
function conclusion(
  { inputs, view }: Work,
  { attempt }: OpenAttempt,
  { own, isProved, candidates, kept = [], again, requestHash = attempt.requestHash }: Findings,
  held: CertificateRef | undefined,
): Recovery {
  const isLater = held && own && isProved && own.certificateId > held.certificateId;
  const adopt = isLater ? own : (held ?? own);
  const others = [...kept, ...candidates].filter((each) => !isSameCertificate(each, adopt));
  const isFound = candidates.some((each) => isSameCertificate(each, adopt));
  const { uid = '' } = inputs.certificate.metadata;
  const { issuer } = attempt;
  return {
    verdict: adopt ? { adopt } : { again },
    records: [
      ...released(view, others.toReversed(), { issuer, cause: 'Undecided' }),
      ...(isFound ? [] : [abandoned(view, uid, { ...attempt, requestHash })]),
    ],
    isProved: held !== undefined || isProved === true,
    boughtNothing: candidates.length === 0,
  };
}

async function recoverReissue(
  _work: Work,
  { attempt }: OpenAttempt,
  evidence: RecoveryEvidence,
): Promise<Findings> {
  const previous = await evidence.previous();
  failpoint('previous');
  const { candidates } = await evidence.list();
  failpoint('list');
  await evidence.assertUnchanged();
  failpoint('live');
  const own = await evidence.successor(candidates);
  const { requestHash = attempt.requestHash } = previous;
  // Obsolete without a successor: one wrong answer must not cost the key.
  const isObsolete = previous.isObsolete && own === undefined && (await evidence.isStillObsolete());
  const again = isObsolete ? 'New' : 'Reissue';
  return { ...(own ? { own, isProved: true } : {}), candidates: own ? [own] : [], again, requestHash };
}

async function recoverNew(work: Work, open: OpenAttempt, evidence: RecoveryEvidence): Promise<Findings> {
  const { candidates, others: older } = await evidence.list();
  failpoint('list');
  const { issued, kept } = await evidence.matching(candidates);
  await evidence.assertUnchanged();
  failpoint('live');
  const [newest] = issued;
  // The attempt asked for its own marker, so every match carries it.
  if (newest && isMarked(evidence.seen(newest)?.subject ?? {}))
    return { own: newest, isProved: true, candidates: [newest], again: 'New' };
  const matching = [...issued, ...kept];
  if (matching.length === 0) return { candidates: [], again: 'New' };
  const others = await evidence.cluster();
  const records = evidence.records();
  failpoint('cluster');
  const undecided = new Set(records.released.filter(isUndecided).map(certificateKey));
  const isFree = (each: CertificateRef): boolean =>
    undecided.has(certificateKey(each)) || !isReleased(each, records);
  const free = issued.filter(isFree);
  // On record they count as ours, and not as those of somebody else who asks for the same.
  const found = { candidates: free, kept: kept.filter(isFree), again: 'New' } as const;
  const strangers = [
    ...candidates.filter(({ id }) => !matching.some(({ certificateId }) => certificateId === id)),
    ...older,
  ];
  const [only] = free;
  if (only === undefined) return found;
  const why = await whyUncertain(only);
  if (why === undefined) return { ...found, own: only };
  work.log.warn(
    { candidates: free, attempt: open.id, ambiguity: why },
    'Certificates that this attempt may have bought cannot be distinguished from others and are left alone',
  );
  return found;

  async function whyUncertain(bought: CertificateRef): Promise<string | undefined> {
    // Since the backup another resource may have bought it, which is gone with it (`putBackUnsure`).
    if (open.isPutBack) return 'put back';
    if (free.length + found.kept.length > 1 || undecided.has(certificateKey(bought))) return 'several';
    return ambiguity(work, { attempt: open.attempt, evidence, bought, others, records, strangers });
  }
}

function isUndecided({ cause }: Released): boolean {
  return cause === 'Undecided';
}

function isReleased(certificate: CertificateRef, records: RecordsOf): boolean {
  return records.released.some((each) => isSameCertificate(each, certificate));
}
