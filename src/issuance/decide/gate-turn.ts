import type { Gate } from '../../account/gate/gate.ts';
import type { Ticket } from '../../account/gate/parking.ts';
import { keyOf } from '../../kube/objects.ts';
import { AppError } from '../../lib/errors.ts';
import type { CertificateResource } from '../certificate-kind.ts';
import type { CertificateInputs, GateTurn } from './inputs.ts';

/** The gate cannot let the work in soon. Nothing was done; the gate calls the certificate later. */
export class TurnAwaited extends AppError {
  constructor() {
    super('TurnAwaited', 'The account is stopped or busy; the work continues when its turn comes.');
  }
}

/** Reads the gate for one certificate. Without a gate nothing is stopped. */
export function turnOf(gate: Gate | undefined, key: string): GateTurn {
  return { phase: gate ? phaseOf(gate, key) : 'open', epoch: gate?.breaker.epoch ?? 0 };
}

function phaseOf(gate: Gate, key: string): GateTurn['phase'] {
  if (gate.isStoppedFor(key)) return 'stopped';
  if (gate.pausedFor > 0) return 'paused';
  return gate.isOnTrial() ? 'trial' : 'open';
}

/** The ticket with which a certificate waits. The certificate that expires first has the first turn. */
export function ticketOf(
  { wake }: { wake: (key: string) => void },
  { certificate, now }: Pick<CertificateInputs, 'certificate' | 'now'>,
): Ticket {
  const key = keyOf(certificate);
  const urgency = Date.parse(certificate.status?.notAfter ?? '') || now;
  return { key, urgency, wake: () => wake(key) };
}

/** Runs the work of one reconcile. A place that the gate kept for this certificate is freed if the work did not use it. */
export async function withTurn<T>(
  gate: Gate | undefined,
  certificate: CertificateResource,
  work: () => Promise<T>,
): Promise<T> {
  const finish = gate?.begin(keyOf(certificate));
  try {
    return await work();
  } finally {
    finish?.();
  }
}

/**
 * Runs work against the CA once the gate admits it. If that will not be soon, the certificate is parked and its worker is
 * free: the gate wakes the certificate later, and `parked` reports what there is to report. The work gets the inputs with the
 * gate's present epoch.
 */
export async function inTurn<I extends CertificateInputs, R>(
  gate: Gate,
  ticket: Ticket,
  inputs: I,
  signal: AbortSignal,
  { work, parked }: { work: (inputs: I) => Promise<R>; parked: (isStopped: boolean) => Promise<R> },
): Promise<R> {
  const permit = await gate.enter(ticket, signal);
  if (!permit) return parked(gate.isStoppedFor(ticket.key));
  try {
    return await work({ ...inputs, turn: { ...inputs.turn, epoch: permit.epoch } });
  } finally {
    permit.release();
  }
}
