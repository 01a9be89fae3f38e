import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';

/** What is to be done with one certificate at the CA. */
export interface Duty {
  certificateId: number;
  action: 'Hold' | 'Revoke';
}

/**
 * What has to be done at the CA before a deleted resource may go: to every certificate that it has or had, what
 * `onDelete` says, and what was promised at a replacement, whose time need not come any more. `found` is what an attempt
 * without a result turned out to have bought.
 */
export function dutiesOnDelete(
  spec: Pick<CertificateSpec, 'revocation'>,
  status: CertificateStatus | undefined,
  found: readonly number[] = [],
): Duty[] {
  const { onDelete = 'None' } = spec.revocation ?? {};
  const { certificateId, attempt, formerCertificateIds = [], pendingRevocations = [] } = status ?? {};
  const duties = new Map<number, Duty>();
  const add = (id: number | undefined, action: 'None' | Duty['action']): void => {
    if (id === undefined || action === 'None' || duties.get(id)?.action === 'Revoke') return;
    duties.set(id, { certificateId: id, action });
  };
  for (const pending of pendingRevocations) add(pending.certificateId, pending.action);
  for (const id of [...formerCertificateIds, attempt?.certificateId, certificateId, ...found])
    add(id, onDelete);
  for (const pending of pendingRevocations) add(pending.certificateId, onDelete);
  return [...duties.values()].sort((a, b) => a.certificateId - b.certificateId);
}
