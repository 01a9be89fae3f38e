import type { Attempt, CertificateStatus } from '../api/certificate-status.ts';
import { certificates, type TinyCertCertificate } from '../api/kinds.ts';
import { sameConditions, type WantedCondition, withConditions } from '../issuance/conditions.ts';
import { asOutdated, CrdsOutdated, holdsConditionsOnly } from '../issuance/outdated-crds.ts';
import { isSealed, type Sealed, type Sealer, sealOf } from '../issuance/seal.ts';
import { isConflict } from '../kube/errors.ts';
import { keyOf } from '../kube/objects.ts';
import { canonicalJson } from '../lib/hash.ts';
import type { Deps } from './deps.ts';
import { formerIds } from './former.ts';

/** Fields to set in status; null removes one. */
export type StatusChange = {
  [Field in keyof CertificateStatus]?: CertificateStatus[Field] | null | undefined;
};

export interface Recording {
  /** The version that the change is based on: anything else in between is a conflict. */
  certificate: TinyCertCertificate;
  change?: StatusChange;
  conditions?: readonly WantedCondition[];
  /** A certificate that the resource lets go of beside the one it served. */
  givesUp?: number | undefined;
  /** Types of conditions to remove. */
  removed?: readonly string[];
  /** The generation that was decided on, if it is not the certificate's. */
  generation?: number | undefined;
  /** Seals the ids; needed whenever they change. */
  sealer?: Sealer | undefined;
  signal: AbortSignal;
}

/**
 * Whether a write of a resource, of whatever field, leaves its status whole: older CRDs take away what they do not know.
 * What they hide already is not there to be refused with the write, so that a status without an attempt has them looked at.
 */
export async function isWritable(
  { crds }: Pick<Deps, 'crds'>,
  { status }: Pick<TinyCertCertificate, 'status'>,
): Promise<boolean> {
  if (holdsConditionsOnly(status)) return true;
  if (crds.fit && status?.attempt === undefined) await crds.check();
  return crds.fit;
}

/**
 * Writes a change of status in one merge-patch that carries the version it is based on and refuses unknown fields.
 * The answer must echo the attempt: an API server that drops what its CRD does not know says so to nobody (rule 2).
 * Throws `CrdsOutdated`, before anything is written where that is known.
 */
export async function record(deps: Deps, recording: Recording): Promise<TinyCertCertificate> {
  const { certificate, sealer, signal } = recording;
  if (!(await isWritable(deps, certificate))) throw new CrdsOutdated();
  const { metadata, status } = certificate;
  const conditions = nextConditions(deps, recording);
  const hasSeal = !sealer || isSealed(sealer, metadata.uid ?? '', status ?? {});
  const change: StatusChange = {
    // Nothing is sealed that somebody else may have written since the last seal.
    ...(hasSeal ? {} : withoutUnproved(status)),
    ...(sealer ? await formerIds(deps, recording, hasSeal) : {}),
    ...recording.change,
  };
  const sealed = mergeSealed(status, change);
  const seal = sealer && sealOf(sealer, metadata.uid ?? '', sealed);
  const patch = {
    metadata: { resourceVersion: metadata.resourceVersion },
    status: {
      ...restated(status),
      ...change,
      ...(change.attempt ? { attempt: wholeAttempt(change.attempt) } : {}),
      conditions,
      ...(seal === undefined ? {} : { seal }),
    },
  };
  const ref = {
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  };
  const options = { subresource: 'status', fieldValidation: 'Strict', signal } as const;
  const answer = await deps.kube.mergePatch(certificates, ref, patch, options).catch(asOutdated);
  const attempt = change.attempt === undefined ? status?.attempt : change.attempt;
  if (attempt && canonicalJson(answer.status?.attempt) !== canonicalJson(attempt)) throw new CrdsOutdated();
  deps.writtenCertificates.note(keyOf(certificate), metadata.resourceVersion, answer);
  return answer;
}

/**
 * As `record` for conditions alone, and only if they say something new and no CRD drops anything for it. Returns the
 * newest version.
 */
export async function recordConditions(deps: Deps, recording: Recording): Promise<TinyCertCertificate> {
  const { certificate } = recording;
  if (!(await isWritable(deps, certificate))) return certificate;
  if (sameConditions(certificate.status?.conditions, nextConditions(deps, recording))) return certificate;
  return record(deps, recording);
}

/**
 * As `record` for a result that must not be lost: after a conflict it reads the resource anew and goes on while the
 * attempt is still the one it belongs to and holds no later certificate (rule 5). Throws the conflict otherwise.
 */
export async function recordResult(deps: Deps, recording: Recording): Promise<TinyCertCertificate> {
  const { certificate, signal } = recording;
  const { name, namespace = '' } = certificate.metadata;
  const attemptId = certificate.status?.attempt?.id;
  const generation = recording.generation ?? certificate.metadata.generation;
  let current = certificate;
  for (;;) {
    try {
      return await record(deps, { ...recording, certificate: current, generation });
    } catch (error) {
      if (!isConflict(error)) throw error;
      current = await deps.kube.get(certificates, { namespace, name }, { signal });
      const isOurs =
        current.status?.attempt?.id === attemptId && current.metadata.uid === certificate.metadata.uid;
      if (!isOurs || isBehind(recording.change, current.status)) throw error;
    }
  }
}

/** Whether somebody has written a later certificate of the same authority than this change is about. */
function isBehind(change: StatusChange = {}, status: CertificateStatus = {}): boolean {
  const id = change.certificateId ?? 0;
  const later = status.authorityId === change.authorityId ? (status.certificateId ?? 0) : 0;
  return id > 0 && Math.max(later, status.attempt?.certificateId ?? 0) > id;
}

function nextConditions(deps: Deps, { certificate, conditions = [], removed = [], generation }: Recording) {
  return withConditions(certificate.status?.conditions, conditions, {
    now: deps.clock.now(),
    generation: generation ?? certificate.metadata.generation,
    removed,
  });
}

const sealedFields = [
  'authorityId',
  'certificateId',
  'attempt',
  'formerCertificateIds',
  'pendingRevocations',
] as const satisfies (keyof Sealed)[];

/** What a write does not change it says again: CRDs that do not know it refuse the write instead of dropping it. */
function restated(status: CertificateStatus = {}): CertificateStatus {
  const fields = [...sealedFields, 'seal'] as const;
  return Object.fromEntries(fields.flatMap((field) => (status[field] ? [[field, status[field]]] : [])));
}

/** What the seal would cover goes, unless it is written anew (`sealOnlyOwn`). */
function withoutUnproved(status: CertificateStatus = {}): StatusChange {
  const left = sealedFields.filter((field) => status[field] !== undefined);
  return Object.fromEntries(left.map((field) => [field, null]));
}

/** What the seal has to cover once a change is written. */
function mergeSealed(status: CertificateStatus | undefined, change: StatusChange): Sealed {
  const entries = sealedFields.flatMap((field) => {
    const value = change[field] === undefined ? status?.[field] : change[field];
    return value === undefined || value === null ? [] : [[field, value]];
  });
  return Object.fromEntries(entries) as Sealed;
}

/** A merge-patch keeps what it does not name, so that fields an earlier attempt had must be removed by name. */
function wholeAttempt(attempt: Attempt): object {
  return { previousId: null, until: null, certificateId: null, reason: null, outcome: null, ...attempt };
}
