import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import {
  type CertificateRef,
  certificateKey,
  certificateOf,
  certificateRef,
} from '../../api/tinycert/identity.ts';
import { boughtIn } from '../../issuance/tinycert/attempt.ts';
import type { Inputs } from '../context/inputs.ts';
import { isOutdated } from './open-attempt.ts';

type Pending = NonNullable<CertificateStatus['pendingRevocations']>[number];

/** A hold or revocation of one certificate at the CA. */
export interface Revocation {
  certificate: CertificateRef;
  action: 'Hold' | 'Revoke';
}

/** The changes of status at the CA that are due for a resource that stays. */
export interface DueRevocations {
  /** Replaced certificates whose delay is over. */
  pending: Pending[];
  /** The status that the spec now asks for; null if it asks for none any more; undefined if that is not new. */
  desired: CertificateSpec['desiredStatus'] | null;
}

/** What is due now, or undefined if nothing is due or nothing may be done. Pure. */
export function revocationsDue(inputs: Inputs): DueRevocations | undefined {
  const { certificate, crdsFit, sealed, now } = inputs;
  const { status } = certificate;
  if (!crdsFit || sealed === false) return undefined;
  const pending = (status?.pendingRevocations ?? []).filter(({ notBefore }) => Date.parse(notBefore) <= now);
  const desired = desiredOf(inputs);
  return pending.length === 0 && desired === undefined ? undefined : { pending, desired };
}

/** When the next replaced certificate is due, in milliseconds since the epoch. */
export function nextRevocationAt({
  certificate: { status },
  now,
}: Pick<Inputs, 'certificate' | 'now'>): number | undefined {
  const times = (status?.pendingRevocations ?? []).map(({ notBefore }) => Date.parse(notBefore));
  const later = times.filter((time) => time > now);
  return later.length === 0 ? undefined : Math.min(...later);
}

/**
 * A value of `desiredStatus` acts once, when it changes; later changes at the CA are left alone. An open attempt comes first:
 * it may have replaced the certificate that is meant. A revocation is final, so `Good` for a revoked certificate means another
 * certificate, which is a need and not a revocation.
 */
function desiredOf(inputs: Inputs): DueRevocations['desired'] | undefined {
  const { spec, status } = inputs.certificate;
  const { desiredStatus } = spec;
  if (desiredStatus === status?.observedDesiredStatus) return undefined;
  if (desiredStatus === undefined) return null;
  if (status?.certificateId === undefined) return undefined;
  if (!inputs.hasJournal || inputs.unreadable !== undefined || !isWithoutEffect(inputs)) return undefined;
  if (desiredStatus === 'Good' && status.certificateStatus === 'revoked') return undefined;
  return desiredStatus;
}

/** Whether no open attempt can replace the certificate of the resource any more. */
function isWithoutEffect(inputs: Inputs): boolean {
  const { attempt: open } = inputs;
  if (!open) return true;
  const { is } = open.progress;
  if (is === 'unsent' || is === 'fruitless') return true;
  return boughtIn(open) !== undefined && isOutdated(open.attempt, inputs);
}

/**
 * The holds and revocations that a deleted resource needs before it may go: `onDelete` for every certificate that it has or
 * had, and what is pending for replaced ones, without waiting for their delay. `found` is what an open attempt turned out
 * to have bought. Each certificate once, with the stronger action.
 */
export function revocationsOnDelete(
  spec: Pick<CertificateSpec, 'revocation'>,
  status: CertificateStatus | undefined,
  found: readonly CertificateRef[] = [],
): Revocation[] {
  const { onDelete = 'None' } = spec.revocation ?? {};
  const { formerCertificates = [], pendingRevocations = [] } = status ?? {};
  const revocations = new Map<string, Revocation>();
  const add = (ref: CertificateRef | undefined, action: 'None' | Revocation['action']): void => {
    if (!ref || action === 'None') return;
    const key = certificateKey(ref);
    if (revocations.get(key)?.action === 'Revoke') return;
    revocations.set(key, { certificate: certificateOf(ref, ref.certificateId), action });
  };
  for (const pending of pendingRevocations) add(pending, pending.action);
  for (const ref of [...formerCertificates, certificateRef(status), ...found]) add(ref, onDelete);
  for (const pending of pendingRevocations) add(pending, onDelete);
  return [...revocations.values()].sort((a, b) => a.certificate.certificateId - b.certificate.certificateId);
}
