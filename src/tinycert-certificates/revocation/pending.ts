import { stopsOf } from '../../account/stops.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { SendRefused } from '../../issuance/attempt/send-gate.ts';
import { TurnAwaited } from '../../issuance/decide/gate-turn.ts';
import type { WantedCondition } from '../../issuance/status/conditions.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import type { Reason } from '../../lib/reason.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import type { Deps } from '../context/deps.ts';
import { DECIDE_AGAIN_MS } from '../context/work.ts';
import { stopIssuer } from '../issue/failure.ts';
import { StatusNotConfirmed } from './change-status.ts';

/** The condition that states why a hold or revocation that is due has not been done yet. */
const REVOCATION_PENDING = 'RevocationPending';

/** Why a deleted resource waits for its open attempt. */
export const RECOVERING: Reason = {
  reason: 'Recovering',
  message:
    'An attempt has no result; the operator first finds out what it bought, to hold or revoke that as well.',
};

/** Reports, once, in a condition and an event, why a hold or revocation waits. Resolves with the newest version. */
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

/** The change of conditions that reports why a hold or revocation waits, or that none does. */
export function pendingConditions(why: Reason | undefined): {
  conditions: WantedCondition[];
  removed: string[];
} {
  return why
    ? { conditions: [{ type: REVOCATION_PENDING, status: 'True', ...why }], removed: [] }
    : { conditions: [], removed: [REVOCATION_PENDING] };
}

/** For which resource, and through which issuer, the CA was asked. */
export interface RevocationAccess {
  uid: string;
  /** Key of the resource. */
  key: string;
  issuerKey: string;
  issuer: ReadyIssuer;
  /** The issuer is gone, and this is its last session: nothing handles its faults. */
  isLast: boolean;
}

/**
 * Whether the CA no longer accepts the login of a last session, as after its API key was replaced: with the issuer gone, nobody can
 * correct it.
 */
export function isLostAccess({ isLast }: Pick<RevocationAccess, 'isLast'>, error: unknown): boolean {
  return (
    isLast && error instanceof TinyCertError && error.kind === 'credentials' && stopsOf(error) === 'login'
  );
}

/**
 * After a hold or revocation that the CA did not confirm: when to try again, and what to report unless the issuer reports it.
 * The revocation stays due. Rethrows what is no failure of the CA.
 */
export function afterFailedRevocation(
  deps: Deps,
  { uid, key, issuerKey, issuer, isLast }: RevocationAccess,
  error: unknown,
  signal: AbortSignal,
): { result: ReconcileResult; why?: Reason } {
  if (error instanceof SendRefused) return { result: { requeueAfterMs: DECIDE_AGAIN_MS } };
  if (error instanceof TurnAwaited) return { result: {} };
  if (signal.aborted) throw error;
  if (!(error instanceof StatusNotConfirmed)) {
    if (!(error instanceof TinyCertError)) throw error;
    const stops = stopsOf(error);
    const { gate } = issuer.account;
    if (!isLast || stops === 'pause') stopIssuer(deps, key, issuer, error, gate.breaker.epoch);
    if (stops === 'pause') return { result: { requeueAfterMs: gate.pausedFor } };
    // The issuer reports its own fault, and every certificate waits for it.
    if (!isLast && (gate.isStoppedFor(key) || !deps.directory.get(issuerKey)?.ready))
      return { result: { requeueAfterMs: DECIDE_AGAIN_MS } };
  }
  const requeueAfterMs = deps.revocationRetries.failed(uid, deps.clock.monotonic());
  const message = `TinyCert has not confirmed the hold or revocation; it is tried again. ${error.message}`;
  return { result: { requeueAfterMs }, why: { reason: error.code, message } };
}
