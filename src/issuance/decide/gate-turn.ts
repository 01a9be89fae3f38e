import type { Gate } from '../../account/gate/gate.ts';
import type { Ticket } from '../../account/gate/parking.ts';
import { keyOf } from '../../kube/objects.ts';
import { AppError } from '../../lib/errors.ts';
import type { CertificateInputs, Turn } from './inputs.ts';
import type { CertificateResource } from '../certificate-kind.ts';

/** The account's gate calls later; nothing was done. */
export class TurnAwaited extends AppError {
  constructor() {
    super('TurnAwaited', 'The account is stopped or busy; the work goes on when it is its turn.');
  }
}

/** How things stand at an account's gate, for one certificate. */
export function turnOf(gate: Gate | undefined, key: string): Turn {
  if (!gate) return { held: false, paused: false, onTrial: false, epoch: 0 };
  return {
    held: gate.isHeld(key),
    paused: gate.pausedFor > 0,
    onTrial: gate.isOnTrial(),
    epoch: gate.breaker.epoch,
  };
}

/** What a certificate waits with: who of many goes first depends on when their certificates end. */
export function ticketOf(
  { wake }: { wake: (key: string) => void },
  { certificate, now }: Pick<CertificateInputs, 'certificate' | 'now'>,
): Ticket {
  const key = keyOf(certificate);
  const urgency = Date.parse(certificate.status?.notAfter ?? '') || now;
  return { key, urgency, wake: () => wake(key) };
}

/** Does the work of one reconcile, and lets the place go that was kept for the certificate if it was called and did not take it. */
export async function withTurn<T>(
  gate: Gate | undefined,
  certificate: CertificateResource,
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
 * Works against the CA once the gate lets it. If that is not soon, the certificate is parked and its worker set free: it
 * is called when it is its turn, and `parked` says what there is to say. Such work gets the inputs with the present epoch.
 */
export async function inTurn<I extends CertificateInputs, R>(
  gate: Gate,
  ticket: Ticket,
  inputs: I,
  signal: AbortSignal,
  { work, parked }: { work: (inputs: I) => Promise<R>; parked: (isHeld: boolean) => Promise<R> },
): Promise<R> {
  const permit = await gate.enter(ticket, signal);
  if (!permit) return parked(gate.isHeld(ticket.key));
  try {
    return await work({ ...inputs, turn: { ...inputs.turn, epoch: permit.epoch } });
  } finally {
    permit.release();
  }
}
