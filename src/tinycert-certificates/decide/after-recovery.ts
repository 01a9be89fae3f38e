import type { ReportPlan } from '../../issuance/decide/blockers.ts';
import type { CertificateRef } from '../../api/tinycert/identity.ts';
import type { Attempt } from '../../issuance/tinycert/attempt.ts';
import type { Inputs } from '../context/inputs.ts';
import { wantsHoldOrRevoked } from './desired-status.ts';
import { nextNeed } from './needs.ts';
import { isOutdated, isServedAlready, MADE_AGAIN } from './open-attempt.ts';
import { orderOf, reportOf } from './plan.ts';
import { firstBlocker } from './preconditions.ts';
import type { Order } from './types.ts';

/** After so many answers in doubt nothing more is bought for the same request (`replyOnce`). */
const MOST_DOUBTS = 2;

/** What a recovery found out about an open attempt. */
export type Verdict =
  /** It bought this certificate, which nobody else can have. */
  | { adopt: CertificateRef }
  /** It bought nothing, or nothing that can be proved to be ours: what to ask the CA for instead. */
  | { again: Order['operation'] };

/** What to do after a recovery. */
export type AfterRecovery =
  | { do: 'publish'; certificate: CertificateRef }
  /** Remember what was bought and decide again: the resource needs it no more, or has it already. */
  | { do: 'remember'; certificate: CertificateRef }
  /** The attempt was fruitless and the next one is blocked. `again`: something else waited for this attempt. */
  | { do: 'report'; report: ReportPlan; again: boolean }
  /**
   * The attempt was fruitless, and the CA's answers are in doubt: no more is bought before a person has looked, and what exists is
   * reissued after a backoff.
   */
  | { do: 'giveUp'; operation: Order['operation'] }
  /** The attempt was fruitless and nothing is to be bought for it. */
  | { do: 'close' }
  | ({ do: 'issue' } & Order);

/**
 * Decides what to do once a recovery has a verdict on `attempt`. Pure. What was wanted then may be wanted no longer: the spec
 * may have changed, the certificate may be revoked, or renewal disabled.
 */
export function decideAfterRecovery(inputs: Inputs, attempt: Attempt, verdict: Verdict): AfterRecovery {
  const isLate = isOutdated(attempt, inputs);
  if ('adopt' in verdict) {
    const isUnneeded = isLate || isServedAlready(verdict.adopt, inputs);
    return { do: isUnneeded ? 'remember' : 'publish', certificate: verdict.adopt };
  }
  if (isLate) return { do: 'close' };
  const remedy = remedyOf(inputs, verdict.again);
  if (remedy === undefined) return { do: 'close' };
  const blocker = firstBlocker(inputs, { remedy, ...MADE_AGAIN });
  if (blocker) {
    const report = reportOf(inputs, blocker);
    return { do: 'report', report, again: wantsHoldOrRevoked(inputs.certificate) };
  }
  const order = orderOf(inputs, { operation: remedy === 'renew' ? verdict.again : 'New', why: MADE_AGAIN });
  const { operation } = order;
  if (isInDoubt(attempt) && !(operation === 'Reissue' && hasBackedOff(inputs, attempt)))
    return { do: 'giveUp', operation };
  return { do: 'issue', ...order };
}

function isInDoubt({ doubts = 0 }: Attempt): boolean {
  return doubts >= MOST_DOUBTS;
}

/**
 * Whether the answers to an attempt were reported as in doubt, and the backoff after that is over: it would be a blocker. The CA
 * reissues the latest certificate of a chain only, so to ask again can buy nothing twice.
 */
function hasBackedOff({ certificate: { status } }: Inputs, { startTime }: Attempt): boolean {
  return Date.parse(status?.lastFailureTime ?? '') >= Date.parse(startTime);
}

/** The purchase that the resource needs now, if any. With a broken seal, status cannot prove that none is needed. */
function remedyOf(inputs: Inputs, again: Order['operation']): 'issue' | 'renew' | undefined {
  if (inputs.sealed === false) return again === 'New' ? 'issue' : 'renew';
  const remedy = nextNeed(inputs)?.remedy;
  return remedy === 'issue' || remedy === 'renew' ? remedy : undefined;
}
