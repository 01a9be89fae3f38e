import type { Gate } from '../account/gate.ts';
import type { Ticket } from '../account/parking.ts';
import type { IssuerState, ReadyIssuer } from '../issuance/issuer-directory.ts';
import type { ReconcileResult } from '../kube/controller.ts';
import { keyOf } from '../kube/objects.ts';
import { AppError } from '../lib/errors.ts';
import { failedConditions, servedUntil } from './decide.ts';
import type { Deps } from './deps.ts';
import { waitsForIssuer } from './guards.ts';
import type { Inputs } from './inputs.ts';
import { recordConditions } from './record.ts';

/** The account's gate calls later; nothing was done. */
export class TurnAwaited extends AppError {
  constructor() {
    super('TurnAwaited', 'The account is stopped or busy; the work goes on when it is its turn.');
  }
}

/** How things stand at the account's gate, for one certificate. */
export function turnOf(issuer: IssuerState | undefined, key: string): Inputs['turn'] {
  if (!issuer?.ready) return { held: false, paused: false, onTrial: false, epoch: 0 };
  const { gate } = issuer.issuer.account;
  return {
    held: gate.isHeld(key),
    paused: gate.pausedFor > 0,
    onTrial: gate.isOnTrial(),
    epoch: gate.breaker.epoch,
  };
}

/** What a certificate waits with: who of many goes first depends on when their certificates end. */
export function ticketOf(deps: Deps, { certificate, now }: Pick<Inputs, 'certificate' | 'now'>): Ticket {
  const key = keyOf(certificate);
  const urgency = Date.parse(certificate.status?.notAfter ?? '') || now;
  return { key, urgency, wake: () => deps.wake(key) };
}

/** Does the work of one reconcile, and lets the place go that was kept for the certificate if it was called and did not take it. */
export async function comeWhenCalled<T>(
  gate: Gate | undefined,
  certificate: Inputs['certificate'],
  work: () => Promise<T>,
): Promise<T> {
  const key = keyOf(certificate);
  const finish = gate?.begin(key);
  try {
    return await work();
  } finally {
    finish?.();
  }
}

/**
 * Works against the CA once the gate lets it. If that is not soon, the certificate is parked and its worker set free; it
 * is called when it is its turn.
 */
export async function inTurn(
  deps: Deps,
  inputs: Inputs,
  { account: { gate } }: ReadyIssuer,
  signal: AbortSignal,
  work: (inputs: Inputs) => Promise<ReconcileResult>,
): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const permit = await gate.enter(ticketOf(deps, inputs), signal);
  if (permit) {
    try {
      return await work({ ...inputs, turn: { ...inputs.turn, epoch: permit.epoch } });
    } finally {
      permit.release();
    }
  }
  if (gate.isHeld(keyOf(certificate))) {
    const conditions = failedConditions(inputs, waitsForIssuer(certificate));
    await recordConditions(deps, { certificate, conditions, signal });
  }
  const requeueAt = servedUntil(inputs);
  return requeueAt === undefined ? {} : { requeueAt };
}
