import type { Reason } from '../../lib/reason.ts';
import { stopsOf } from '../../account/stops.ts';
import { conditionOf, type WantedCondition } from '../../issuance/status/conditions.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { SendRefused } from '../../issuance/attempt/send-gate.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import type { Deps } from '../context/deps.ts';
import { stopIssuer } from '../issue/failure.ts';
import { TurnAwaited } from '../../issuance/decide/gate-turn.ts';

/** The type of the condition that says why something promised has not been done yet. */
const REVOCATION_PENDING = 'RevocationPending';

const LOOK_AGAIN_MS = 200;

/** Says, once, in a condition and an event, why what was promised has to wait. Returns the newest version. */
export async function reportPending(
  deps: Deps,
  certificate: TinyCertCertificate,
  why: Reason,
  signal: AbortSignal,
): Promise<TinyCertCertificate> {
  const written = await deps.statuses.writeNews({ certificate, ...pendingConditions(why), signal });
  if (written !== certificate) deps.warn(certificate, why.reason, why.message);
  return written;
}

/** What the conditions are to say of what was promised: why it waits, or nothing. */
export function pendingConditions(why: Reason | undefined): {
  conditions: WantedCondition[];
  removed: string[];
} {
  return why
    ? { conditions: [{ type: REVOCATION_PENDING, status: 'True', ...why }], removed: [] }
    : { conditions: [], removed: [REVOCATION_PENDING] };
}

/** Whether the conditions say that something waits. */
export function saysPending({ status }: TinyCertCertificate): boolean {
  return conditionOf(status?.conditions, REVOCATION_PENDING) !== undefined;
}

/** Who was asked. */
export interface Asked {
  uid: string;
  /** Key of the resource. */
  key: string;
  issuerKey: string;
  issuer: ReadyIssuer;
  /** The issuer is gone, so that nobody looks after its faults. */
  isLast: boolean;
}

/**
 * After a hold or revocation that the CA did not confirm: when to try again, and what to say unless the issuer says it.
 * Nothing is forgotten. Throws what is no failure of the CA.
 */
export function afterFailedRevocation(
  deps: Deps,
  { uid, key, issuerKey, issuer, isLast }: Asked,
  error: unknown,
  signal: AbortSignal,
): { result: ReconcileResult; why?: Reason } {
  if (error instanceof SendRefused) return { result: { requeueAfterMs: LOOK_AGAIN_MS } };
  if (error instanceof TurnAwaited) return { result: {} };
  if (!(error instanceof TinyCertError) || signal.aborted) throw error;
  const stops = stopsOf(error);
  const { gate } = issuer.account;
  if (!isLast || stops === 'pause') stopIssuer(deps, key, issuer, error, gate.breaker.epoch);
  if (stops === 'pause') return { result: { requeueAfterMs: gate.pausedFor } };
  // The issuer says itself what is the matter, and everybody waits for it.
  if (!isLast && (gate.isHeld(key) || !deps.directory.get(issuerKey)?.ready))
    return { result: { requeueAfterMs: LOOK_AGAIN_MS } };
  const requeueAfterMs = deps.revocationRetries.failed(uid, deps.clock.monotonic());
  const message = `TinyCert has not confirmed the hold or revocation; it is tried again. ${error.message}`;
  return { result: { requeueAfterMs }, why: { reason: error.code, message } };
}
