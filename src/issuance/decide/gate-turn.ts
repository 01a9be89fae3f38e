import type { Gate } from '../../account/gate/gate.ts';
import type { Ticket } from '../../account/gate/parking.ts';
import { keyOf } from '../../kube/objects.ts';
import { AppError } from '../../lib/errors.ts';
import type { CertificateInputs, GateTurn } from './inputs.ts';
import type { ReconcileCertificate } from './with-end.ts';

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

/** The gates of all accounts, for the work on one key: which of them have a ticket of it is theirs to know. */
export interface Gates {
  begin: (key: string) => () => void;
  forget: (key: string) => void;
}

/**
 * A reconcile that frees, when it ends, each place that a gate kept for its key and that it did not use, at whatever account;
 * and all that the gates have of a key whose object is gone by then, so that nothing is kept for a resource that was deleted.
 */
export function inPlaces(
  gates: Gates,
  exists: (key: string) => boolean,
  reconcile: ReconcileCertificate,
): ReconcileCertificate {
  return async (key, context) => {
    const end = gates.begin(key);
    try {
      return await reconcile(key, context);
    } finally {
      end();
      if (!exists(key)) gates.forget(key);
    }
  };
}

/**
 * Runs work against the CA if the gate admits it now. Otherwise the certificate is parked and its worker is free: the gate
 * wakes it later, for another reconcile that asks all guards again, and `parked` reports what there is to report. The work
 * gets the inputs with the gate's present epoch.
 */
export async function inTurn<I extends CertificateInputs, R>(
  gate: Gate,
  ticket: Ticket,
  inputs: I,
  { work, parked }: { work: (inputs: I) => Promise<R>; parked: (isStopped: boolean) => Promise<R> },
): Promise<R> {
  const permit = gate.enter(ticket);
  if (!permit) return parked(gate.isStoppedFor(ticket.key));
  try {
    return await work({ ...inputs, turn: { ...inputs.turn, epoch: permit.epoch } });
  } finally {
    permit.release();
  }
}
