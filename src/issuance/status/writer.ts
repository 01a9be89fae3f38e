import type { KubeClient } from '../../kube/client.ts';
import { isConflict } from '../../kube/errors.ts';
import { keyOf, parseKey } from '../../kube/objects.ts';
import type { Clock } from '../../lib/clock.ts';
import { canonicalJson } from '../../lib/hash.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Condition } from '../../kube/objects.ts';
import { sameConditions, type WantedCondition, withConditions } from './conditions.ts';
import type { LastWritten } from './last-written.ts';
import { CrdsOutdated, type CrdsFit, holdsConditionsOnly, rethrowRefusal } from './outdated-crds.ts';
import { StatusRefused } from './refused-status.ts';
import type { CertificateKind, CertificateResource } from '../certificate-kind.ts';

/** Fields to set in a status; null removes one. */
export type StatusChange<Status> = {
  [Field in keyof Status]?: Status[Field] | null | undefined;
};

/** One change of a resource's status. */
export interface StatusWrite<T extends CertificateResource> {
  /** The version that the change is based on; any other stored version is a conflict. */
  certificate: T;
  change?: StatusChange<NonNullable<T['status']>>;
  conditions?: readonly WantedCondition[];
  /** Types of conditions to remove. */
  removed?: readonly string[];
  /** The generation that the decision was based on, if it is not the certificate's. */
  generation?: number | undefined;
  signal: AbortSignal;
}

export interface StatusWriterOptions<T extends CertificateResource> {
  kube: Pick<KubeClient, 'get' | 'mergePatch'>;
  clock: Clock;
  kind: Pick<CertificateKind<T>, 'type' | 'restated' | 'echoed'>;
  crds: CrdsFit;
  written: LastWritten<T>;
}

/** Writes the status of one kind of certificate. No CRD, however old, silently drops any of it. */
export class StatusWriter<T extends CertificateResource> {
  readonly #options: StatusWriterOptions<T>;

  constructor(options: StatusWriterOptions<T>) {
    this.#options = options;
  }

  /**
   * Whether writing a resource, even another field, leaves its status intact: older CRDs drop the fields they lack. They
   * also hide those fields on reading, and a hidden field cannot be refused with the write. So if there is no attempt,
   * check the CRDs first.
   */
  async isWritable({ status }: Pick<T, 'status'>): Promise<boolean> {
    const { crds } = this.#options;
    if (holdsConditionsOnly(status)) return true;
    if (crds.fit && status?.attemptId === undefined) await crds.check();
    return crds.fit;
  }

  /**
   * Writes a change in one merge patch that carries the version it is based on and refuses unknown fields. The answer must
   * echo the fields that say what was bought, since an API server can drop fields silently. Throws an `ApiError`, `CrdsOutdated`
   * (before writing, if that is known already), or `StatusRefused` if the API server refuses or drops the change although
   * the CRDs fit.
   */
  async write(update: StatusWrite<T>): Promise<T> {
    const { kube, kind, written, crds } = this.#options;
    const { certificate, change = {}, signal } = update;
    if (!(await this.isWritable(certificate))) throw new CrdsOutdated();
    const { metadata, status } = certificate;
    const patch = {
      metadata: { resourceVersion: metadata.resourceVersion },
      status: {
        ...this.#restated(status),
        ...change,
        conditions: this.#conditions(update),
      },
    };
    const options = { subresource: 'status', fieldValidation: 'Strict', signal } as const;
    const ref = parseKey(keyOf(certificate));
    const answer = await kube
      .mergePatch(kind.type, ref, patch, options)
      .catch((error: unknown) => rethrowRefusal(crds, error));
    if (!this.#isEchoed(status, change, answer.status)) {
      await crds.check();
      throw crds.fit ? new StatusRefused('it does not keep what is written.') : new CrdsOutdated();
    }
    written.note(keyOf(certificate), metadata.resourceVersion, answer);
    return answer;
  }

  /**
   * As `write`, but only if anything changes and no CRD would drop anything. Returns the newest version, which is
   * `certificate` itself if nothing was written.
   */
  async writeNews(update: StatusWrite<T>): Promise<T> {
    const { certificate, change = {} } = update;
    const { status } = certificate;
    if (sameConditions(status?.conditions, this.#conditions(update)) && holds(status, change))
      return certificate;
    return (await this.isWritable(certificate)) ? this.write(update) : certificate;
  }

  /** As `writeNews`, but only if status reports nothing yet. */
  async writeFirst(update: StatusWrite<T>): Promise<T> {
    const { certificate } = update;
    return certificate.status?.conditions === undefined ? this.writeNews(update) : certificate;
  }

  /** Reports why a resource is not Ready, in that condition alone: every version of the CRD has conditions. */
  async writeNotReady(certificate: T, { reason, message }: Reason, signal: AbortSignal): Promise<void> {
    const conditions = [{ type: 'Ready', status: 'False', reason, message }] as const;
    await this.writeNews({ certificate, conditions, signal });
  }

  /**
   * Writes a result that must not be lost. After a conflict, reads the resource again and repeats the write unless, by
   * `isOther`, somebody else has changed what status says of the attempts and their results (`resultReread`). Otherwise throws
   * the conflict.
   */
  async insist(
    certificate: T,
    write: (current: T) => Promise<T>,
    isOther: (current: T) => boolean,
    signal: AbortSignal,
  ): Promise<T> {
    const { kube, kind, written } = this.#options;
    let current = certificate;
    for (;;) {
      try {
        return await write(current);
      } catch (error) {
        if (!isConflict(error)) throw error;
        const live = await kube.get(kind.type, parseKey(keyOf(certificate)), { signal });
        written.noteLive(keyOf(certificate), current.metadata.resourceVersion, live);
        current = live;
        if (current.metadata.uid !== certificate.metadata.uid || isOther(current)) throw error;
      }
    }
  }

  #conditions({ certificate, conditions = [], removed = [], generation }: StatusWrite<T>): Condition[] {
    return withConditions(certificate.status?.conditions, conditions, {
      now: this.#options.clock.now(),
      generation: generation ?? certificate.metadata.generation,
      removed,
    });
  }

  /** Fields to repeat unchanged: a CRD that lacks one then refuses the write instead of dropping the field. */
  #restated(status: CertificateResource['status'] = {}): object {
    const present = status as Record<string, unknown>;
    const fields = this.#options.kind.restated.filter((field) => present[field]);
    return Object.fromEntries(fields.map((field) => [field, present[field]]));
  }

  #isEchoed(before: object = {}, change: object, answer: object = {}): boolean {
    const [was, wanted] = [before, change] as Record<string, unknown>[];
    const expected = this.#options.kind.echoed.map((field) => [
      field,
      wanted?.[field] === undefined ? was?.[field] : wanted[field],
    ]);
    return holds(answer, Object.fromEntries(expected) as object);
  }
}

/** Whether a status has these fields as they are wanted; null or undefined is none. */
function holds(status: object = {}, wanted: object): boolean {
  const present = status as Record<string, unknown>;
  return Object.entries(wanted).every(
    ([field, value]) => canonicalJson(present[field] ?? null) === canonicalJson(value ?? null),
  );
}
