import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import {
  type CertificateRef,
  certificateRef,
  isSameAuthority,
  isSameCertificate,
} from '../../api/tinycert/identity.ts';
import { CrdsOutdated } from '../../issuance/status/outdated-crds.ts';
import type { StatusChange as Change, StatusWrite } from '../../issuance/status/writer.ts';
import { groupOf, placeHash } from '../../issuance/tinycert/attempt.ts';
import { withFormer } from '../../issuance/tinycert/claims.ts';
import { issuerKey } from '../../issuance/tinycert/issuer-directory.ts';
import { released } from '../../issuance/tinycert/records.ts';
import { type Sealed, type Sealer, isSealed, sealOf, sealedFields } from '../../issuance/tinycert/seal.ts';
import { TermOver } from '../../journal/errors.ts';
import { canonicalJson } from '../../lib/hash.ts';
import type { Deps } from '../context/deps.ts';

/** Fields to set in status; null removes one. */
export type StatusChange = Change<CertificateStatus>;

export interface Recording extends StatusWrite<TinyCertCertificate> {
  /** A certificate that the resource gives up beside the one it served. */
  givesUp?: CertificateRef | undefined;
  /** What the CA was asked for, if the change is the result of an attempt. */
  operation?: 'New' | 'Reissue';
  /** Seals the ids. Every change of them needs it. */
  sealer?: Sealer | undefined;
}

/** Writes a change of status, with a new seal if there is a sealer. Throws as `StatusWriter.write` does. */
export async function record(deps: Deps, recording: Recording): Promise<TinyCertCertificate> {
  const { certificate, sealer } = recording;
  if (!sealer) return deps.statuses.write(recording);
  if (!(await deps.statuses.isWritable(certificate))) throw new CrdsOutdated();
  const { metadata, status } = certificate;
  const hasSeal = isSealed(sealer, certificate);
  const change: StatusChange = {
    // What somebody else may have written since the last seal is never sealed.
    ...(hasSeal ? {} : withoutUnproved(status)),
    ...(await withFormerCertificates(deps, recording, hasSeal)),
    ...recording.change,
  };
  const seal = sealOf(sealer, metadata.uid ?? '', mergeSealed(status, change));
  return deps.statuses.write({ ...recording, change: { ...change, seal } });
}

/**
 * As `record`, for a result that must not be lost: after a conflict it reads the resource again and continues if nobody else
 * has changed what status says of certificates (`resultReread`). Throws the conflict otherwise.
 */
export async function recordResult(deps: Deps, recording: Recording): Promise<TinyCertCertificate> {
  const { certificate, change, signal } = recording;
  const generation = recording.generation ?? certificate.metadata.generation;
  return deps.statuses.insist(
    certificate,
    (current) => record(deps, { ...recording, certificate: current, generation }),
    ({ status }) => isOther(certificate.status, status) || isBehind(change, status),
    signal,
  );
}

/** Whether status already has a later certificate of the same authority (`resultNeverFalls`). */
function isBehind(change: StatusChange = {}, status: CertificateStatus = {}): boolean {
  const id = change.certificateId ?? 0;
  return id > 0 && isSameAuthority(status, written(change)) && (status.certificateId ?? 0) > id;
}

/** Whether what two versions of a status say of certificates differs. */
function isOther(before: CertificateStatus = {}, now: CertificateStatus = {}): boolean {
  const of = (status: CertificateStatus): unknown =>
    [...sealedFields, 'seal' as const, 'revision' as const, 'formerAccounts' as const].map(
      (field) => status[field] ?? null,
    );
  return canonicalJson(of(before)) !== canonicalJson(of(now));
}

/** The identity that a change sets. */
function written({ account, authorityId, certificateId }: StatusChange): Partial<CertificateRef> {
  return {
    ...(account ? { account } : {}),
    ...(typeof authorityId === 'number' ? { authorityId } : {}),
    ...(typeof certificateId === 'number' ? { certificateId } : {}),
  };
}

/** Removes the fields that the seal covers; the change that follows sets what is proved (`sealOnlyOwn`). */
function withoutUnproved(status: CertificateStatus = {}): StatusChange {
  const left = sealedFields.filter((field) => status[field] !== undefined);
  return Object.fromEntries(left.map((field) => [field, null]));
}

/** What the seal covers after a change. */
function mergeSealed(status: CertificateStatus | undefined, change: StatusChange): Sealed {
  const entries = sealedFields.flatMap((field) => {
    const value = change[field] === undefined ? status?.[field] : change[field];
    return value === undefined || value === null ? [] : [[field, value]];
  });
  return Object.fromEntries(entries) as Sealed;
}

/**
 * A certificate that a change of status gives up stays claimed, in the same write, as a former one of its resource. The oldest, for which there is no room, are first put on record. What a reissue replaces is
 * obsolete and leaves the CA's list, unless it had expired: then it stays listed and must not be taken for a foreign one.
 * A status with a broken seal claims nothing.
 */
async function withFormerCertificates(
  deps: Deps,
  { certificate, change = {}, givesUp, operation }: Recording,
  isSealed: boolean,
): Promise<StatusChange> {
  const { status = {}, metadata, spec } = certificate;
  if (change.formerCertificates !== undefined) return {};
  const isListed = operation === 'New' || Date.parse(status.notAfter ?? '') <= deps.clock.now();
  const before = certificateRef(status);
  const after = certificateRef(written(change));
  const isReplaced = isSealed && isListed && after !== undefined && !isSameCertificate(before, after);
  const former = [isReplaced ? before : undefined, givesUp].filter((ref) => ref !== undefined);
  if (former.length === 0) return {};
  const { kept, dropped } = withFormer(isSealed ? status : {}, ...former);
  const [first] = dropped;
  if (first) {
    const { uid = '', namespace } = metadata;
    const view = deps.journal.viewFor(uid);
    if (!view) throw new TermOver('lease');
    const issuer = placeHash(issuerKey(spec.issuerRef, namespace));
    await view.record(uid, released(view, dropped, { issuer, group: groupOf(first, namespace) }));
  }
  return { formerCertificates: kept };
}
