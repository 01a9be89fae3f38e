/** What the witnesses keep of the versions in etcd. */
import { type RunClock, runNow } from '../clock.ts';
import { TAMPERED } from '../names.ts';
import type { EtcdWitness, Stored, Version } from '../etcd.ts';
import { Duties, type Duty } from './duties.ts';
import { claimedIn, heldIn, type Status } from './holdings.ts';
import { type Entry, isJournal, type Journal, journalsIn, OPERATORS, readJournal } from './journal.ts';
import { keyOf, keysOf, type Stated } from './identity.ts';
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

export interface IssuerStatus {
  orphans?: Stated[];
}

/** Everything that one place (NAMESPACE/NAME) of certificates has ever claimed. */
export interface Claims {
  /** Certificates (`keyOf`) in status, and in the attempts of the journal. */
  heard: Set<string>;
  /** Certificates that attempts intended to reissue. */
  reissued: Set<string>;
  /** By attempt: the times in the run between which its certificate begins. */
  windows: Map<string, Window>;
  /** The same of attempts in a journal that a process had to take for one that was put back. */
  doubted: Map<string, Window>;
}

/** The claims of a place in `all`, which has none at first. */
export function claimsAt(all: Map<string, Claims>, place: string): Claims {
  const known = all.get(place) ?? {
    heard: new Set(),
    reissued: new Set(),
    windows: new Map(),
    doubted: new Map(),
  };
  all.set(place, known);
  return known;
}

/** The time of an attempt at an authority. */
export interface Window {
  account: string;
  authorityId: number;
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
  /** Certificates that its status claimed. */
  claimed: readonly string[];
  /** Orders of names that it requested, if the journal had an attempt of it that was not concluded, or has had one since. */
  interrupted: readonly string[];
}

/** The fields that the verdict needs. */
export type Seen = Pick<
  History,
  'secrets' | 'ends' | 'claims' | 'certificates' | 'issuers' | 'journals' | 'givenUp' | 'duties'
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

export class History {
  readonly secrets: SecretVersion[] = [];
  readonly ends: End[] = [];
  /** Certificates that a record of a journal has had as given up by the resource that bought them. */
  readonly givenUp = new Set<string>();
  readonly #claims = new Map<string, Claims>();
  readonly #present = new Map<string, Present>();
  /** By uid, of resources that are gone too. */
  readonly #places = new Map<string, string>();
  /** By uid, of resources that are gone: the end, and the orders of names that it requested. */
  readonly #gone = new Map<string, { end: End; asked: readonly string[] }>();
  readonly #duties = new Duties();
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
    return claimsAt(this.#claims, place);
  }

  /** Holds and revocations that nobody remembers any more. */
  get duties(): readonly Duty[] {
    return this.#duties.due;
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
    const names = object ? namesIn(object) : '';
    this.#duties.take(place, object, { names, at: runNow(this.#clock) });
    if (!object) {
      this.#present.delete(place);
      if (!last) return;
      const end = this.#endOf(place, last);
      this.ends.push(end);
      this.#gone.set(last.uid, { end, asked: [...last.asked] });
      return;
    }
    const { uid } = object.metadata;
    this.#places.set(uid, place);
    const status: Status = object.status ?? {};
    for (const certificate of claimedIn(status)) this.claims(place).heard.add(certificate);
    const before = last?.uid === uid ? last : undefined;
    const asked = (before?.asked ?? new Set()).add(names);
    const sealed = before?.sealed ?? [];
    if (status.seal !== undefined && !sealed.some(({ seal }) => seal === status.seal)) sealed.push(status);
    this.#present.set(place, { uid, object, asked, sealed });
    const { windows } = this.claims(place);
    for (const { id } of this.#openOf(uid, status)) windows.get(id)?.asked.add(names);
  }

  /**
   * The attempts of a resource that are not concluded, at any account. One that status names is concluded, and only its removal waits
   * for another write; so is one whose certificate it has, or had at an account that it has left.
   */
  #openOf(uid: string, status: Status): Entry[] {
    const { attemptId, formerAccounts = [] } = status;
    const concluded = new Set([attemptId, ...formerAccounts.map((former) => former.attemptId)]);
    const published = new Set([...keysOf([status]), ...formerAccounts.flatMap(heldIn)]);
    return this.journals().entries.filter(
      (entry) =>
        entry.uid === uid &&
        !concluded.has(entry.id) &&
        !keysOf([entry]).some((certificate) => published.has(certificate)),
    );
  }

  /** A resource with a finalizer that has something to do at the end goes only after its attempt is concluded. */
  #endOf(place: string, { uid, object, asked }: Present): End {
    const status: Status = object.status ?? {};
    const { finalizers = [] } = object.metadata;
    const { onDelete = 'None' } = (object.spec?.['revocation'] ?? {}) as { onDelete?: string };
    const isConcluded = finalizers.length > 0 && onDelete !== 'None';
    const isInterrupted = !isConcluded && this.#openOf(uid, status).length > 0;
    return {
      place,
      at: Date.now(),
      claimed: claimedIn(status),
      interrupted: isInterrupted ? [...asked] : [],
    };
  }

  #takeJournal(at: string, object: Stored | undefined): void {
    const { writer, entries, released } = readJournal(object);
    const leaders = this.#leaders.get(at.split('/')[0] ?? '');
    const isDoubtful = writer !== undefined && leaders?.takeJournal(writer) === true;
    for (const { id, uid, isPutBack, previousId, since, until, ...entry } of entries) {
      const { account, authorityId } = entry;
      const place = this.#places.get(uid);
      if (place === undefined) continue;
      const { heard, reissued, windows, doubted } = this.claims(place);
      for (const certificate of keysOf([entry])) heard.add(certificate);
      for (const certificate of keysOf([{ ...entry, certificateId: previousId }])) reissued.add(certificate);
      if (!windows.has(id)) this.#interrupt(uid);
      const window = windows.get(id) ?? {
        account,
        authorityId,
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
    for (const { cause, ...certificate } of released)
      if (cause !== 'Undecided') this.givenUp.add(keyOf(certificate));
  }

  /** A process that had not seen the end of a resource has begun an attempt for it. */
  #interrupt(uid: string): void {
    const gone = this.#gone.get(uid);
    if (gone) gone.end.interrupted = gone.asked;
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
