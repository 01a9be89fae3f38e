import type { TinyCertCertificate } from '../api/kinds.ts';
import type { ReadyIssuer } from '../issuance/issuer-directory.ts';
import { SendRefused } from '../issuance/send-gate.ts';
import type { ReconcileResult } from '../kube/controller.ts';
import { TinyCertError } from '../tinycert/index.ts';
import type { Deps } from './deps.ts';
import { reportIssuerFault } from './failure.ts';
import type { Reason } from './inputs.ts';
import { recordConditions } from './record.ts';

/** The type of the condition that says why something promised has not been done yet. */
export const REVOCATION_PENDING = 'RevocationPending';

const LOOK_AGAIN_MS = 200;

/** Says, once, in a condition and an event, why what was promised has to wait. */
export async function postpone(
  deps: Deps,
  certificate: TinyCertCertificate,
  why: Reason | undefined,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (!why) return {};
  const condition = { type: REVOCATION_PENDING, status: 'True', ...why } as const;
  const written = await recordConditions(deps, { certificate, conditions: [condition], signal });
  if (written !== certificate) deps.warn(certificate, why.reason, why.message);
  return {};
}

/** Who was asked. */
export interface Asked {
  issuerKey: string;
  issuer: ReadyIssuer;
  /** The issuer is gone, so that nobody looks after its faults. */
  isLast: boolean;
}

/** After a hold or revocation that the CA did not confirm. It is tried again, and nothing is forgotten. */
export async function afterFailedDuty(
  deps: Deps,
  certificate: TinyCertCertificate,
  { issuerKey, issuer, isLast }: Asked,
  error: unknown,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (error instanceof SendRefused) return { requeueAfterMs: LOOK_AGAIN_MS };
  if (!(error instanceof TinyCertError) || signal.aborted) throw error;
  if (!isLast || error.kind === 'rate-limit') reportIssuerFault(deps, { issuerKey }, issuer, error);
  if (error.kind === 'rate-limit') return { requeueAfterMs: issuer.account.gate.pausedFor };
  // The issuer says itself what is the matter, and everybody waits for it.
  if (!isLast && !deps.directory.get(issuerKey)?.ready) return { requeueAfterMs: LOOK_AGAIN_MS };
  const { metadata } = certificate;
  const delay = deps.promises.failed(metadata.uid ?? '', deps.clock.monotonic());
  const message = `TinyCert has not confirmed the hold or revocation; it is tried again. ${error.message}`;
  await postpone(deps, certificate, { reason: error.code, message }, signal);
  return { requeueAfterMs: delay };
}
