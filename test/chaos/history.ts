/** What the witnesses keep of the versions in etcd. */
import { type RunClock, runNow } from './clock.ts';
import { TAMPERED } from './deeds.ts';
import type { EtcdWitness, Stored, Version } from './etcd.ts';

const CERTIFICATES = '/registry/tinycert-operator.io/tinycertcertificates/';
const SECRETS = '/registry/secrets/';
const ISSUERS = '/registry/tinycert-operator.io/tinycertissuers/';

/** A version of a Secret that an operator wrote. */
export interface SecretVersion {
  /** NAMESPACE/NAME. */
  place: string;
  revision: number;
  /** Time of day in the run. */
  at: number;
  data: Record<string, string>;
}

export interface Attempt {
  id?: string;
  operation?: string;
  certificateId?: number;
  previousId?: number;
  afterId?: number;
  outcome?: string;
  since?: string;
  until?: string;
}

/** The part of a status with the claims of a resource. */
export interface Status {
  certificateId?: number;
  attempt?: Attempt;
  formerCertificates?: { certificateId: number }[];
  pendingRevocations?: { certificateId: number }[];
  conditions?: {
    type: string;
    status: string;
    reason: string;
    message: string;
    observedGeneration?: number;
  }[];
}

export interface IssuerStatus {
  orphans?: { certificateId: number }[];
  released?: { certificateId: number; cause?: string }[];
  abandoned?: { commonName: string; afterId: number; since: string; until: string }[];
}

/** Everything that one place (NAMESPACE/NAME) of certificates has ever claimed. */
export interface Claims {
  /** Ids in `certificateId` and `attempt.certificateId`. */
  heard: Set<number>;
  /** Ids that attempts intended to reissue. */
  reissued: Set<number>;
  /** By attempt: the times in the run between which its certificate begins. */
  windows: Map<string, { since: number; until: number }>;
}

/** A resource that was deleted. */
export interface End {
  /** NAMESPACE/NAME. */
  place: string;
  /** Real milliseconds since the epoch. */
  at: number;
  /** Ids that it claimed. */
  ids: readonly number[];
  /** Orders of names that it requested, if an attempt was under way. */
  interrupted: readonly string[];
}

/** The fields that the verdict needs. */
export type Seen = Pick<History, 'secrets' | 'ends' | 'claims' | 'certificates' | 'issuers'>;

/** All certificates that a status claims. */
export function claimedIds(status: Status): number[] {
  const { certificateId, attempt, formerCertificates = [], pendingRevocations = [] } = status;
  const others = [...formerCertificates, ...pendingRevocations].map((one) => one.certificateId);
  const ids = [certificateId, attempt?.certificateId, ...others];
  return ids.filter((id) => id !== undefined);
}

export class History {
  readonly secrets: SecretVersion[] = [];
  readonly ends: End[] = [];
  readonly #claims = new Map<string, Claims>();
  readonly #last = new Map<string, { status: Status; asked: Set<string> }>();
  readonly #tampered = new Map<string, string | undefined>();
  readonly #etcd: EtcdWitness;
  readonly #clock: RunClock;
  readonly #follows: (place: string) => boolean;

  /** Follows the certificates, and the Secrets at given places. */
  constructor(etcd: EtcdWitness, clock: RunClock, follows: (place: string) => boolean) {
    this.#etcd = etcd;
    this.#clock = clock;
    this.#follows = follows;
    etcd.subscribe((version) => this.#take(version));
  }

  claims(place: string): Claims {
    const known = this.#claims.get(place) ?? {
      heard: new Set(),
      reissued: new Set(),
      windows: new Map(),
    };
    this.#claims.set(place, known);
    return known;
  }

  certificates(): Stored[] {
    return this.#etcd.present(CERTIFICATES);
  }

  issuers(): Stored[] {
    return this.#etcd.present(ISSUERS);
  }

  #take({ key, revision, object }: Version): void {
    if (key.startsWith(CERTIFICATES)) this.#takeCertificate(key.slice(CERTIFICATES.length), object);
    if (key.startsWith(SECRETS)) this.#takeSecret(key.slice(SECRETS.length), revision, object);
  }

  #takeCertificate(place: string, object: Stored | undefined): void {
    const { certificateId, attempt } = (object?.status ?? {}) as Status;
    const claims = this.claims(place);
    for (const id of [certificateId, attempt?.certificateId]) if (id !== undefined) claims.heard.add(id);
    if (attempt?.previousId !== undefined) claims.reissued.add(attempt.previousId);
    const { id, since = '', until = '' } = attempt ?? {};
    if (id !== undefined) claims.windows.set(id, { since: Date.parse(since), until: Date.parse(until) });
    this.#noteEnd(place, object);
  }

  #noteEnd(place: string, object: Stored | undefined): void {
    const last = this.#last.get(place);
    if (object) {
      const names = (object.spec?.['dnsNames'] as string[] | undefined) ?? [];
      const asked = last?.asked ?? new Set();
      this.#last.set(place, { status: object.status ?? {}, asked: asked.add(names.join(',')) });
      return;
    }
    this.#last.delete(place);
    const { status = {}, asked = [] } = last ?? {};
    const { certificateId, attempt } = status;
    const isOpen = attempt && attempt.outcome === undefined && (attempt.certificateId ?? 0) !== certificateId;
    this.ends.push({ place, at: Date.now(), ids: claimedIds(status), interrupted: isOpen ? [...asked] : [] });
  }

  /** A version with another mark of this run than before was written by the run. */
  #takeSecret(place: string, revision: number, object: Stored | undefined): void {
    if (!this.#follows(place)) return;
    const mark = object?.metadata.annotations?.[TAMPERED];
    const isOwn = mark !== undefined && mark !== this.#tampered.get(place);
    this.#tampered.set(place, mark);
    if (!object || isOwn) return;
    this.secrets.push({ place, revision, at: runNow(this.#clock), data: object.data ?? {} });
  }
}
