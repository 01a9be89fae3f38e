/** What the witnesses keep of the versions in etcd. */
import { type RunClock, runNow } from './clock.ts';
import { TAMPERED } from './names.ts';
import type { EtcdWitness, Stored, Version } from './etcd.ts';
import { type Entry, isJournal, type Journal, journalsIn, OPERATORS, readJournal } from './journal.ts';
import { Leaders } from './leaders.ts';

const CERTIFICATES = '/registry/tinycert-operator.io/tinycertcertificates/';
const SECRETS = '/registry/secrets/';
const ISSUERS = '/registry/tinycert-operator.io/tinycertissuers/';
const LEASE = /^\/registry\/leases\/([^/]+)\/tinycert-operator$/;

/** A version of a Secret that an operator wrote. */
export interface SecretVersion {
  /** NAMESPACE/NAME. */
  place: string;
  revision: number;
  /** Time of day in the run. */
  at: number;
  data: Record<string, string>;
}

/** The part of a status with the claims of a resource. */
export interface Status {
  certificateId?: number;
  /** The attempt that the certificate came of. */
  attemptId?: string;
  seal?: string;
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
}

/** Everything that one place (NAMESPACE/NAME) of certificates has ever claimed. */
export interface Claims {
  /** Ids in status, and in the attempts of the journal. */
  heard: Set<number>;
  /** Ids that attempts intended to reissue. */
  reissued: Set<number>;
  /** By attempt: the times in the run between which its certificate begins. */
  windows: Map<string, Window>;
  /** The same of attempts in a journal that a process had to take for one that was put back. */
  doubted: Map<string, Window>;
}

export interface Window {
  since: number;
  until: number;
  /** Orders of names that the resource requested while the attempt was open. */
  asked: Set<string>;
}

/** A resource that was deleted. */
export interface End {
  /** NAMESPACE/NAME. */
  place: string;
  /** Real milliseconds since the epoch. */
  at: number;
  /** Ids that its status claimed. */
  ids: readonly number[];
  /** Orders of names that it requested, if the journal had an attempt of it that was not concluded. */
  interrupted: readonly string[];
}

/** The fields that the verdict needs. */
export type Seen = Pick<
  History,
  'secrets' | 'ends' | 'claims' | 'certificates' | 'issuers' | 'journals' | 'givenUp'
>;

type Etcd = Pick<EtcdWitness, 'get' | 'present' | 'subscribe'>;

/** What is known of a resource that exists. */
interface Present {
  uid: string;
  object: Stored;
  asked: Set<string>;
  /** Its statuses with a seal, the latest last. */
  sealed: Status[];
}

/** All certificates that a status claims. */
export function claimedIds(status: Status): number[] {
  const { certificateId, formerCertificates = [], pendingRevocations = [] } = status;
  const others = [...formerCertificates, ...pendingRevocations].map((one) => one.certificateId);
  return [certificateId, ...others].filter((id) => id !== undefined);
}

export class History {
  readonly secrets: SecretVersion[] = [];
  readonly ends: End[] = [];
  /** Ids that a record of a journal has had as given up by the resource that bought them. */
  readonly givenUp = new Set<number>();
  readonly #claims = new Map<string, Claims>();
  readonly #present = new Map<string, Present>();
  /** By uid, of resources that are gone too. */
  readonly #places = new Map<string, string>();
  readonly #leaders = new Map(OPERATORS.map((namespace) => [namespace, new Leaders()]));
  /** Attempts in a journal that was taken for one that was put back. */
  readonly #putBack = new Set<string>();
  readonly #tampered = new Map<string, string | undefined>();
  readonly #etcd: Etcd;
  readonly #clock: RunClock;
  readonly #follows: (place: string) => boolean;

  /** Follows the certificates, the journals, and the Secrets at given places. */
  constructor(etcd: Etcd, clock: RunClock, follows: (place: string) => boolean) {
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
      doubted: new Map(),
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

  journals(): Journal {
    return journalsIn(this.#etcd);
  }

  /** NAMESPACE/NAME of a resource, even of one that is gone. */
  placeOf(uid: string): string | undefined {
    return this.#places.get(uid);
  }

  /** The statuses with a seal that the resource at a place has had, without its present one. */
  earlier(place: string): readonly Status[] {
    const { object, sealed = [] } = this.#present.get(place) ?? {};
    return sealed.filter(({ seal }) => seal !== (object?.status as Status | undefined)?.seal);
  }

  #take({ key, revision, object }: Version): void {
    if (key.startsWith(CERTIFICATES)) this.#takeCertificate(key.slice(CERTIFICATES.length), object);
    else if (isJournal(key)) this.#takeJournal(key.slice(SECRETS.length), object);
    else if (key.startsWith(SECRETS)) this.#takeSecret(key.slice(SECRETS.length), revision, object);
    const [, namespace = ''] = LEASE.exec(key) ?? [];
    this.#leaders.get(namespace)?.takeLease(object?.spec ?? {});
  }

  #takeCertificate(place: string, object: Stored | undefined): void {
    const last = this.#present.get(place);
    if (!object) {
      this.#present.delete(place);
      if (last) this.ends.push(this.#endOf(place, last));
      return;
    }
    const { uid } = object.metadata;
    this.#places.set(uid, place);
    const status: Status = object.status ?? {};
    for (const id of claimedIds(status)) this.claims(place).heard.add(id);
    const names = namesIn(object);
    const before = last?.uid === uid ? last : undefined;
    const asked = (before?.asked ?? new Set()).add(names);
    const sealed = before?.sealed ?? [];
    if (status.seal !== undefined && !sealed.some(({ seal }) => seal === status.seal)) sealed.push(status);
    this.#present.set(place, { uid, object, asked, sealed });
    const { windows } = this.claims(place);
    for (const { id } of this.#openOf(uid, status)) windows.get(id)?.asked.add(names);
  }

  /**
   * The attempts of a resource that are not concluded. One that status names is concluded, and only its removal waits for another
   * write.
   */
  #openOf(uid: string, { attemptId, certificateId: present }: Status): Entry[] {
    return this.journals().entries.filter(
      ({ id, uid: owner, certificateId }) =>
        owner === uid && id !== attemptId && (certificateId === undefined || certificateId !== present),
    );
  }

  /** A resource with a finalizer that has something to do at the end goes only after its attempt is concluded. */
  #endOf(place: string, { uid, object, asked }: Present): End {
    const status: Status = object.status ?? {};
    const { finalizers = [] } = object.metadata;
    const { onDelete = 'None' } = (object.spec?.['revocation'] ?? {}) as { onDelete?: string };
    const isConcluded = finalizers.length > 0 && onDelete !== 'None';
    const isInterrupted = !isConcluded && this.#openOf(uid, status).length > 0;
    return { place, at: Date.now(), ids: claimedIds(status), interrupted: isInterrupted ? [...asked] : [] };
  }

  #takeJournal(at: string, object: Stored | undefined): void {
    const { writer, entries, released } = readJournal(object);
    const leaders = this.#leaders.get(at.split('/')[0] ?? '');
    const isDoubtful = writer !== undefined && leaders?.takeJournal(writer) === true;
    for (const { id, uid, isPutBack, certificateId, previousId, since, until } of entries) {
      const place = this.#places.get(uid);
      if (place === undefined) continue;
      const { heard, reissued, windows, doubted } = this.claims(place);
      if (certificateId !== undefined) heard.add(certificateId);
      if (previousId !== undefined) reissued.add(previousId);
      const window = windows.get(id) ?? {
        since: Date.parse(since),
        until: Date.parse(until),
        asked: new Set(),
      };
      windows.set(id, window);
      const { object: present } = this.#present.get(place) ?? {};
      if (present?.metadata.uid === uid && (present.status as Status | undefined)?.attemptId !== id)
        window.asked.add(namesIn(present));
      if (isPutBack && !this.#putBack.has(id) && isDoubtful) doubted.set(id, window);
      if (isPutBack) this.#putBack.add(id);
    }
    for (const { certificateId, cause } of released)
      if (cause !== 'Undecided') this.givenUp.add(certificateId);
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

/** The names that a resource requests, in their order. */
function namesIn({ spec }: Stored): string {
  return ((spec?.['dnsNames'] as string[] | undefined) ?? []).join(',');
}
