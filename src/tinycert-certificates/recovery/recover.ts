import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { isMarked } from '../../issuance/tinycert/marker.ts';
import {
  type Released,
  type ReleasedAddition,
  type ReleasedEntries,
  abandoned,
  released,
} from '../../issuance/tinycert/released.ts';
import type { ReconcileContext } from '../../kube/controller/controller.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { Deps } from '../context/deps.ts';
import type { Inputs } from '../context/inputs.ts';
import { doubt } from './ambiguity.ts';
import { RecoveryEvidence } from './evidence.ts';

/** What came of an attempt without a result. */
export type Verdict =
  /** It bought this certificate, which nobody else can have. */
  | { adopt: number }
  /** It bought nothing, or nothing that can be told to be ours: what is to be remembered, then another attempt. */
  | { again: 'New' | 'Reissue'; giving?: ReleasedAddition };

/**
 * Finds out what an attempt bought (rules 6 and 7), once nothing of it can happen any more. The order matters: the
 * previous certificate is looked at before the CA's list (`previousBeforeList`), so that an obsolete one has its successor
 * there; the list is taken before the cluster's (`listBeforeCluster`), so that whoever claims a listed certificate is in
 * the cluster's. It writes nothing.
 */
export async function recover(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  attempt: Attempt,
  { signal, log }: ReconcileContext,
): Promise<Verdict> {
  const look = new RecoveryEvidence(deps, inputs, issuer, attempt, signal);
  // A forged attempt could reach back to certificates of others, so that an unsealed one is only replaced (`sealed`).
  if (inputs.sealed === false) return { again: attempt.operation };
  const inSecret = await look.inOwnSecret();
  if (inSecret !== undefined) return { adopt: inSecret };
  return attempt.operation === 'Reissue' ? successorOf() : boughtAnew();

  async function successorOf(): Promise<Verdict> {
    const previous = await look.previous();
    failpoint('previous');
    const { candidates } = await look.list();
    failpoint('list');
    await look.assertUnchanged();
    failpoint('live');
    const successor = await look.successor(candidates);
    if (successor !== undefined) return { adopt: successor };
    const { requestHash = attempt.requestHash } = previous;
    const giving = givingOf(deps, inputs, { ...attempt, requestHash }, []);
    return { again: previous.isObsolete ? 'New' : 'Reissue', giving };
  }

  async function boughtAnew(): Promise<Verdict> {
    const { candidates, others: older } = await look.list();
    failpoint('list');
    const matching = await look.matching(candidates);
    await look.assertUnchanged();
    failpoint('live');
    const [newest] = matching;
    if (newest === undefined) return { again: 'New', giving: givingOf(deps, inputs, attempt, []) };
    // It asked for its own marker, so that all that match carry it.
    if (isMarked(look.seen(newest)?.subject ?? {})) return { adopt: newest };
    const others = await look.cluster();
    const given = await look.given();
    failpoint('cluster');
    const undecided = new Set(given.released.filter(isUndecided).map((each) => each.certificateId));
    const open = matching.filter((id) => undecided.has(id) || !isReleased(id, given));
    const [only] = open;
    if (only === undefined) return { again: 'New', giving: givingOf(deps, inputs, attempt, []) };
    const strangers = [...candidates.filter(({ id }) => !matching.includes(id)), ...older];
    const isAmbiguous = open.length > 1 || undecided.has(only);
    const { certificate } = inputs;
    const asked = { deps, certificate, issuer, attempt, look, id: only, others, given, strangers, signal };
    const why = isAmbiguous ? 'several' : await doubt(asked);
    if (why === undefined) return { adopt: only };
    log.warn(
      { candidates: open, attempt: attempt.id, doubt: why },
      'Certificates that this attempt may have bought cannot be told from others and are left alone',
    );
    return { again: 'New', giving: givingOf(deps, inputs, attempt, open) };
  }
}

/** What is to be remembered of an attempt without a finding (`recordAbandoned`), and of what it may have bought. */
function givingOf(
  { clock, timing }: Deps,
  { certificate: { metadata } }: Inputs,
  attempt: Attempt,
  undecided: readonly number[],
): ReleasedAddition {
  return {
    released: released(metadata, undecided.toReversed(), clock.now(), 'Undecided'),
    abandoned: [abandoned(metadata, attempt, timing)],
  };
}

function isUndecided({ cause }: Released): boolean {
  return cause === 'Undecided';
}

function isReleased(id: number, { released }: ReleasedEntries): boolean {
  return released.some(({ certificateId }) => certificateId === id);
}
