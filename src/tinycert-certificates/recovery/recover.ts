import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import { type CertificateRef, certificateKey, isSameCertificate } from '../../api/tinycert/identity.ts';
import { isMarked } from '../../issuance/tinycert/marker.ts';
import {
  abandoned,
  released,
  type Released,
  type ReleasedAddition,
  type ReleasedEntries,
} from '../../issuance/tinycert/released.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { Work } from '../context/work.ts';
import type { Verdict } from '../decide/after-recovery.ts';
import { ambiguity } from './ambiguity.ts';
import { RecoveryEvidence } from './evidence.ts';

/** The result of a recovery. */
export interface Recovery {
  verdict: Verdict;
  /** To be recorded on the issuer before another attempt is made: the attempt, and what it may have bought. */
  released?: ReleasedAddition;
}

/**
 * Finds out what an attempt bought, once it can have no further effect. The order matters: the previous certificate is read
 * before the CA's list (`previousBeforeList`), so that an obsolete one has its successor there; the CA's list is read before
 * the cluster's (`listBeforeCluster`), so that whatever claims a listed certificate is in the cluster's. It writes nothing.
 * Rejects with a `TinyCertError`, or with an `ApiError` if the resource or its Secret changed meanwhile.
 */
export async function recover(work: Work, attempt: Attempt): Promise<Recovery> {
  const recovery = await investigate(work, attempt);
  work.log.info({ attempt: attempt.id, verdict: recovery.verdict }, 'Found out what an attempt bought');
  return recovery;
}

async function investigate(work: Work, attempt: Attempt): Promise<Recovery> {
  // A forged attempt could reach back to certificates of others, so one without a seal is only replaced (`sealed`).
  if (work.inputs.sealed === false) return { verdict: { again: attempt.operation } };
  const evidence = new RecoveryEvidence(work, attempt);
  const inSecret = await evidence.inOwnSecret();
  if (inSecret !== undefined) return { verdict: { adopt: inSecret } };
  return attempt.operation === 'Reissue'
    ? recoverReissue(work, attempt, evidence)
    : recoverNew(work, attempt, evidence);
}

async function recoverReissue(work: Work, attempt: Attempt, evidence: RecoveryEvidence): Promise<Recovery> {
  const previous = await evidence.previous();
  failpoint('previous');
  const { candidates } = await evidence.list();
  failpoint('list');
  await evidence.assertUnchanged();
  failpoint('live');
  const successor = await evidence.successor(candidates);
  if (successor !== undefined) return { verdict: { adopt: successor } };
  const { requestHash = attempt.requestHash } = previous;
  return {
    verdict: { again: previous.isObsolete ? 'New' : 'Reissue' },
    released: releasedOf(work, { ...attempt, requestHash }, []),
  };
}

async function recoverNew(work: Work, attempt: Attempt, evidence: RecoveryEvidence): Promise<Recovery> {
  const { candidates, others: older } = await evidence.list();
  failpoint('list');
  const matching = await evidence.matching(candidates);
  await evidence.assertUnchanged();
  failpoint('live');
  const [newest] = matching;
  if (newest === undefined) return boughtNothing([]);
  // The attempt asked for its own marker, so every match carries it.
  if (isMarked(evidence.seen(newest)?.subject ?? {})) return { verdict: { adopt: newest } };
  const others = await evidence.cluster();
  const records = await evidence.released();
  failpoint('cluster');
  const undecided = new Set(records.released.filter(isUndecided).map(certificateKey));
  const open = matching.filter((each) => undecided.has(certificateKey(each)) || !isReleased(each, records));
  const [only] = open;
  if (only === undefined) return boughtNothing([]);
  const strangers = [
    ...candidates.filter(({ id }) => !matching.some(({ certificateId }) => certificateId === id)),
    ...older,
  ];
  const isAmbiguous = open.length > 1 || undecided.has(certificateKey(only));
  const why = isAmbiguous
    ? 'several'
    : await ambiguity(work, { attempt, evidence, bought: only, others, records, strangers });
  if (why === undefined) return { verdict: { adopt: only } };
  work.log.warn(
    { candidates: open, attempt: attempt.id, ambiguity: why },
    'Certificates that this attempt may have bought cannot be distinguished from others and are left alone',
  );
  return boughtNothing(open);

  function boughtNothing(mayBe: readonly CertificateRef[]): Recovery {
    return { verdict: { again: 'New' }, released: releasedOf(work, attempt, mayBe) };
  }
}

/** The records of an attempt without a finding (`recordAbandoned`), and of the certificates it may have bought. */
function releasedOf(
  { deps: { clock, timing }, inputs }: Work,
  attempt: Attempt,
  undecided: readonly CertificateRef[],
): ReleasedAddition {
  const { metadata } = inputs.certificate;
  return {
    released: released(metadata, undecided.toReversed(), clock.now(), 'Undecided'),
    abandoned: [abandoned(metadata, attempt, timing)],
  };
}

function isUndecided({ cause }: Released): boolean {
  return cause === 'Undecided';
}

function isReleased(certificate: CertificateRef, records: ReleasedEntries): boolean {
  return records.released.some((each) => isSameCertificate(each, certificate));
}
