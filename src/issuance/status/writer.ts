import type { KubeClient } from '../../kube/client.ts';
import { isConflict } from '../../kube/errors.ts';
import { keyOf, parseKey } from '../../kube/objects.ts';
import type { Clock } from '../../lib/clock.ts';
import { canonicalJson } from '../../lib/hash.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Condition } from '../../kube/objects.ts';
import { sameConditions, type WantedCondition, withConditions } from './conditions.ts';
import type { LastWritten } from './last-written.ts';
import {
  CrdsOutdated,
  type CrdsFit,
  holdsConditionsOnly,
  rethrowRefusal,
  StatusRefused,
} from './outdated-crds.ts';
import type { CertificateKind, CertificateResource } from '../certificate-kind.ts';

/** Fields to set in a status; null removes one. */
export type StatusChange<Status> = {
  [Field in keyof Status]?: Status[Field] | null | undefined;
};

/** One change of the status of a resource. */
export interface StatusWrite<T extends CertificateResource> {
  /** The version that the change is based on: anything else in between is a conflict. */
  certificate: T;
  change?: StatusChange<NonNullable<T['status']>>;
  conditions?: readonly WantedCondition[];
  /** Types of conditions to remove. */
  removed?: readonly string[];
  /** The generation that was decided on, if it is not the certificate's. */
  generation?: number | undefined;
  signal: AbortSignal;
}

export interface StatusWriterOptions<T extends CertificateResource> {
  kube: Pick<KubeClient, 'get' | 'mergePatch'>;
  clock: Clock;
  kind: Pick<CertificateKind<T>, 'type' | 'restated' | 'attemptFields'>;
  crds: CrdsFit;
  written: LastWritten<T>;
}

/** Writes the status of one kind of certificate, so that no CRD, however old, drops anything without a word. */
export class StatusWriter<T extends CertificateResource> {
  readonly #options: StatusWriterOptions<T>;

  constructor(options: StatusWriterOptions<T>) {
    this.#options = options;
  }

  /**
   * Whether a write of a resource, of whatever field, leaves its status whole: older CRDs take away what they do not know.
   * What they hide already is not there to be refused with the write, so that a status without an attempt has them looked at.
   */
  async isWritable({ status }: Pick<T, 'status'>): Promise<boolean> {
    const { crds } = this.#options;
    if (holdsConditionsOnly(status)) return true;
    if (crds.fit && status?.attempt === undefined) await crds.check();
    return crds.fit;
  }

  /**
   * Writes a change in one merge-patch that carries the version it is based on and refuses unknown fields. The answer must
   * echo the attempt: an API server that drops what its CRD does not know says so to nobody (rule 2). Throws `CrdsOutdated`,
   * before anything is written where that is known, and `StatusRefused` for what the API server does not take or keep
   * although the CRDs fit.
   */
  async write(recording: StatusWrite<T>): Promise<T> {
    const { kube, kind, written, crds } = this.#options;
    const { certificate, change = {}, signal } = recording;
    if (!(await this.isWritable(certificate))) throw new CrdsOutdated();
    const { metadata, status } = certificate;
    const { attempt }: { attempt?: object | null | undefined } = change;
    const patch = {
      metadata: { resourceVersion: metadata.resourceVersion },
      status: {
        ...this.#restated(status),
        ...change,
        ...(attempt ? { attempt: this.#whole(attempt) } : {}),
        conditions: this.#conditions(recording),
      },
    };
    const options = { subresource: 'status', fieldValidation: 'Strict', signal } as const;
    const ref = parseKey(keyOf(certificate));
    const answer = await kube
      .mergePatch(kind.type, ref, patch, options)
      .catch((error: unknown) => rethrowRefusal(crds, error));
    const wanted = attempt === undefined ? status?.attempt : attempt;
    if (wanted && canonicalJson(answer.status?.attempt) !== canonicalJson(wanted)) {
      await crds.check();
      throw crds.fit ? new StatusRefused('it does not keep what is written.') : new CrdsOutdated();
    }
    written.note(keyOf(certificate), metadata.resourceVersion, answer);
    return answer;
  }

  /**
   * As `write`, only if the conditions say something new and no CRD drops anything for it. Returns the newest version.
   */
  async writeNews(recording: StatusWrite<T>): Promise<T> {
    const { certificate } = recording;
    if (!(await this.isWritable(certificate))) return certificate;
    const isSaid = sameConditions(certificate.status?.conditions, this.#conditions(recording));
    return isSaid ? certificate : this.write(recording);
  }

  /** Says why it is not Ready in that condition alone, which any version of the CRD takes. */
  async writeNotReady(certificate: T, { reason, message }: Reason, signal: AbortSignal): Promise<void> {
    const conditions = [{ type: 'Ready', status: 'False', reason, message }] as const;
    await this.writeNews({ certificate, conditions, signal });
  }

  /**
   * Makes a write of a result that must not be lost: after a conflict it reads the resource anew and goes on while the
   * attempt is still the one it belongs to (rule 5), unless `isBehind` says that somebody wrote a later result. Throws the
   * conflict otherwise.
   */
  async insist(
    certificate: T,
    write: (current: T) => Promise<T>,
    isBehind: (current: T) => boolean,
    signal: AbortSignal,
  ): Promise<T> {
    const { kube, kind } = this.#options;
    const attemptId = certificate.status?.attempt?.id;
    let current = certificate;
    for (;;) {
      try {
        return await write(current);
      } catch (error) {
        if (!isConflict(error)) throw error;
        current = await kube.get(kind.type, parseKey(keyOf(certificate)), { signal });
        const isOurs =
          current.status?.attempt?.id === attemptId && current.metadata.uid === certificate.metadata.uid;
        if (!isOurs || isBehind(current)) throw error;
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

  /** What a write does not change it says again: CRDs that do not know it refuse the write instead of dropping it. */
  #restated(status: CertificateResource['status'] = {}): object {
    const present = status as Record<string, unknown>;
    const fields = this.#options.kind.restated.filter((field) => present[field]);
    return Object.fromEntries(fields.map((field) => [field, present[field]]));
  }

  /** A merge-patch keeps what it does not name, so that fields an earlier attempt had must be removed by name. */
  #whole(attempt: object): object {
    return {
      ...Object.fromEntries(this.#options.kind.attemptFields.map((field) => [field, null])),
      ...attempt,
    };
  }
}
