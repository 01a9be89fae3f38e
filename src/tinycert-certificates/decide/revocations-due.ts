import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { isOpen } from '../../issuance/tinycert/attempt.ts';
import type { Inputs } from '../context/inputs.ts';
import { isOutdated } from './open-attempt.ts';

type Pending = NonNullable<CertificateStatus['pendingRevocations']>[number];

/** What is due at the CA for a resource that stays, beside what is done to issue. */
export interface DueRevocations {
  /** Replaced certificates whose time has come. */
  pending: Pending[];
  /** The status that the spec has come to ask for; null if it has ceased to ask for one. */
  desired: CertificateSpec['desiredStatus'] | null;
}

/** What is due now, or undefined if nothing is or nothing can be done. Pure. */
export function revocationsDue(inputs: Inputs): DueRevocations | undefined {
  const { certificate, crdsFit, sealed, now } = inputs;
  const { status } = certificate;
  if (!crdsFit || sealed === false) return undefined;
  const pending = (status?.pendingRevocations ?? []).filter(({ notBefore }) => Date.parse(notBefore) <= now);
  const desired = desiredOf(inputs);
  return pending.length === 0 && desired === undefined ? undefined : { pending, desired };
}

/** When the next replaced certificate is due. */
export function nextRevocationAt({
  certificate: { status },
  now,
}: Pick<Inputs, 'certificate' | 'now'>): number | undefined {
  const times = (status?.pendingRevocations ?? []).map(({ notBefore }) => Date.parse(notBefore));
  const later = times.filter((time) => time > now);
  return later.length === 0 ? undefined : Math.min(...later);
}

/**
 * A value of `desiredStatus` acts once, when it has changed, and what happens at the CA later is left alone. An open
 * attempt is concluded first: it may have replaced the certificate that is meant. A revocation is final, so that `Good` for
 * a revoked certificate means another certificate, which is a need and no duty.
 */
function desiredOf(inputs: Inputs): DueRevocations['desired'] | undefined {
  const { spec, status } = inputs.certificate;
  const { desiredStatus } = spec;
  if (desiredStatus === status?.observedDesiredStatus) return undefined;
  if (desiredStatus === undefined) return null;
  if (status?.certificateId === undefined) return undefined;
  if (isOpen(status) && !isConcluded(inputs)) return undefined;
  if (desiredStatus === 'Good' && status.certificateStatus === 'revoked') return undefined;
  return desiredStatus;
}

/** Whether nothing of an open attempt can come to be the certificate of the resource any more. */
function isConcluded(inputs: Inputs): boolean {
  const known = inputs.attempt;
  const { attempt } = inputs.certificate.status ?? {};
  if (!known || !attempt) return false;
  const isGivenUp = (known.bought ?? attempt.certificateId) !== undefined && isOutdated(attempt, inputs);
  return known.unsent || known.isFruitless === true || isGivenUp;
}

/** What is to be done with one certificate at the CA. */
export interface Revocation {
  certificateId: number;
  action: 'Hold' | 'Revoke';
}

/**
 * What has to be done at the CA before a deleted resource may go: to every certificate that it has or had, what
 * `onDelete` says, and what was promised at a replacement, whose time need not come any more. `found` is what an attempt
 * without a result turned out to have bought.
 */
export function revocationsOnDelete(
  spec: Pick<CertificateSpec, 'revocation'>,
  status: CertificateStatus | undefined,
  found: readonly number[] = [],
): Revocation[] {
  const { onDelete = 'None' } = spec.revocation ?? {};
  const { certificateId, attempt, formerCertificateIds = [], pendingRevocations = [] } = status ?? {};
  const duties = new Map<number, Revocation>();
  const add = (id: number | undefined, action: 'None' | Revocation['action']): void => {
    if (id === undefined || action === 'None' || duties.get(id)?.action === 'Revoke') return;
    duties.set(id, { certificateId: id, action });
  };
  for (const pending of pendingRevocations) add(pending.certificateId, pending.action);
  for (const id of [...formerCertificateIds, attempt?.certificateId, certificateId, ...found])
    add(id, onDelete);
  for (const pending of pendingRevocations) add(pending.certificateId, onDelete);
  return [...duties.values()].sort((a, b) => a.certificateId - b.certificateId);
}
