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
import { withFormer } from '../../issuance/tinycert/claims.ts';
import { issuerKey } from '../../issuance/tinycert/issuer-directory.ts';
import { released } from '../../issuance/tinycert/released.ts';
import { type Sealed, type Sealer, isSealed, sealOf, sealedFields } from '../../issuance/tinycert/seal.ts';
import type { Deps } from '../context/deps.ts';

/** Fields to set in status; null removes one. */
export type StatusChange = Change<CertificateStatus>;

export interface Recording extends StatusWrite<TinyCertCertificate> {
  /** A certificate that the resource gives up beside the one it served. */
  givesUp?: CertificateRef | undefined;
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
 * As `record`, for a result that must not be lost: after a conflict it reads the resource again and continues while the
 * attempt is still its own and status has no later certificate (`resultByAttempt`). Throws the conflict otherwise.
 */
export async function recordResult(deps: Deps, recording: Recording): Promise<TinyCertCertificate> {
  const { certificate, change, signal } = recording;
  const generation = recording.generation ?? certificate.metadata.generation;
  return deps.statuses.insist(
    certificate,
    (current) => record(deps, { ...recording, certificate: current, generation }),
    ({ status }) => isBehind(change, status),
    signal,
  );
}

/** Whether status already has a later certificate of the same authority. */
function isBehind(change: StatusChange = {}, status: CertificateStatus = {}): boolean {
  const id = change.certificateId ?? 0;
  const stated = [status, status.attempt ?? {}].filter((each) => isSameAuthority(each, written(change)));
  return id > 0 && stated.some(({ certificateId = 0 }) => certificateId > id);
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
 * A certificate that a change of status gives up stays claimed, in the same write, as a former one of its resource
 * (`recordGivenUp`). The oldest, for which there is no room, are first recorded on the issuer. What a reissue replaces is
 * obsolete and leaves the CA's list, unless it had expired: then it stays listed and must not be taken for a foreign one.
 * A status with a broken seal claims nothing.
 */
async function withFormerCertificates(
  deps: Deps,
  { certificate, change = {}, givesUp, signal }: Recording,
  isSealed: boolean,
): Promise<StatusChange> {
  const { status = {}, metadata, spec } = certificate;
  if (change.formerCertificates !== undefined) return {};
  const operation = (change.attempt ?? status.attempt)?.operation;
  const isListed = operation === 'New' || Date.parse(status.notAfter ?? '') <= deps.clock.now();
  const before = certificateRef(status);
  const after = certificateRef(written(change));
  const isReplaced = isSealed && isListed && after !== undefined && !isSameCertificate(before, after);
  const former = [isReplaced ? before : undefined, givesUp].filter((ref) => ref !== undefined);
  if (former.length === 0) return {};
  const { kept, dropped } = withFormer(isSealed ? status : {}, ...former);
  const giving = { released: released(metadata, dropped, deps.clock.now()) };
  if (dropped.length > 0)
    await deps.releasedStore.add(issuerKey(spec.issuerRef, metadata.namespace), giving, signal);
  return { formerCertificates: kept };
}
