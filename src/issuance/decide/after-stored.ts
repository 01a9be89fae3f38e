import { afterFailure, type AfterFailure } from '../attempt/retry-backoff.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import type { Stored } from '../secret/kept.ts';
import type { WantedCondition } from '../status/conditions.ts';
import type { Warn } from '../status/events.ts';
import type { CertificateInputs } from './inputs.ts';

/** What a write of a Secret adds to the status that records it. */
interface AfterStored {
  change: Partial<AfterFailure['change']>;
  /** Beside Ready. */
  conditions: WantedCondition[];
  /** The types of conditions that are over. */
  removed: string[];
  /** When to write again. */
  result: ReconcileResult;
}

/**
 * What follows for the status from how a Secret was stored. If something changed it as it was written, what is served stays
 * Ready, an event and the condition Issuing name what is lacking, and the write is repeated with a backoff.
 */
export function afterStored(
  { warn, clock }: { warn: Warn; clock: { now: () => number } },
  { certificate }: Pick<CertificateInputs, 'certificate'>,
  { altered }: Partial<Stored> = {},
): AfterStored {
  if (!altered) return { change: {}, conditions: [], removed: ['Issuing'], result: {} };
  warn(certificate, altered.reason, altered.message);
  const { change, requeueAfterMs } = afterFailure(certificate, clock.now(), altered);
  return {
    change,
    conditions: [{ type: 'Issuing', status: 'False', ...altered }],
    removed: [],
    result: { requeueAfterMs },
  };
}
