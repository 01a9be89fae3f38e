/** What the witness of CAcert keeps of the versions in etcd: keys above all, in the order in which they were stored. */
import { type RunClock, runNow } from '../clock.ts';
import type { EtcdWitness, Stored, Version } from '../etcd.ts';
import { TAMPERED } from '../names.ts';
import { isJournal } from '../witness/journal.ts';
import { keyIn } from './secret-check.ts';

const CERTIFICATES = '/registry/tinycert-operator.io/cacertcertificates/';
const SECRETS = '/registry/secrets/';
/** Of the Secret with a pending key: the uid of its resource. */
const PENDING = 'tinycert-operator.io/cacert-pending-key';
const ENTRY = /^cacert\.entry\.(.+)$/;

/** A version of a certificate's Secret that an operator wrote. */
export interface MailSecretVersion {
  /** NAMESPACE/NAME. */
  place: string;
  revision: number;
  /** Time of day in the run. */
  at: number;
  data: Record<string, string>;
}

/** What a resource asked for, and since when. */
export interface SpecVersion {
  /** Time of day in the run. */
  at: number;
  generation: number;
  emails: readonly string[];
}

interface Pending {
  key: string | undefined;
  /** A certificate is beside the key. */
  hasCertificate: boolean;
}

type Etcd = Pick<EtcdWitness, 'subscribe'>;

export class MailHistory {
  readonly secrets: MailSecretVersion[] = [];
  /** Findings about keys, as sentences. */
  readonly lostKeys: string[] = [];
  readonly #clock: RunClock;
  readonly #etcd: Etcd;
  readonly #follows: (place: string) => boolean;
  /** By place, of resources that exist. */
  readonly #present = new Map<string, string>();
  /** By uid, of resources that are gone too. */
  readonly #places = new Map<string, string>();
  readonly #specs = new Map<string, SpecVersion[]>();
  /** By uid. */
  readonly #pending = new Map<string, Pending>();
  readonly #pendingUids = new Map<string, string>();
  /** By key: the uid of the resource that has it. */
  readonly #owners = new Map<string, string>();
  /** Keys that an attempt in a journal was made for. */
  readonly #asked = new Set<string>();
  /** Keys that the Secret of a place has held. */
  readonly #served = new Map<string, Set<string>>();
  /** Attempts that are in a journal now, and all that ever were. */
  #open = new Map<string, string>();
  readonly #attempts = new Set<string>();
  readonly #tampered = new Map<string, string | undefined>();
  /** Times of deeds after which another certificate is needed, by place. */
  readonly #allowed = new Map<string, number[]>();

  /** Follows the resources, their pending keys, the journals, and the Secrets at given places. */
  constructor(etcd: Etcd, clock: RunClock, follows: (place: string) => boolean) {
    this.#etcd = etcd;
    this.#clock = clock;
    this.#follows = follows;
    this.#etcd.subscribe((version) => this.#take(version));
  }

  /** Notes that a deed makes another certificate necessary. */
  allow(place: string): void {
    this.#allowed.set(place, [...(this.#allowed.get(place) ?? []), runNow(this.#clock)]);
  }

  allowedAt(place: string): readonly number[] {
    return this.#allowed.get(place) ?? [];
  }

  /** The uid of the resource that has or had this key. */
  ownerOf(key: string): string | undefined {
    return this.#owners.get(key);
  }

  /** NAMESPACE/NAME of a resource, even of one that is gone. */
  placeOf(uid: string): string | undefined {
    return this.#places.get(uid);
  }

  /** What a resource has asked for, in order. */
  specsOf(uid: string): readonly SpecVersion[] {
    return this.#specs.get(uid) ?? [];
  }

  /** Attempts that are still in a journal: NAMESPACE/NAME of each. */
  openAttempts(): string[] {
    return [...this.#open.values()].map((uid) => this.#places.get(uid) ?? uid);
  }

  #take({ key, revision, object }: Version): void {
    if (key.startsWith(CERTIFICATES)) this.#takeResource(key.slice(CERTIFICATES.length), object);
    else if (isJournal(key)) this.#takeJournal(key, object);
    else if (key.startsWith(SECRETS)) this.#takeSecret(key.slice(SECRETS.length), revision, object);
  }

  #takeResource(place: string, object: Stored | undefined): void {
    if (!object) {
      this.#present.delete(place);
      return;
    }
    const { uid, generation = 0 } = object.metadata;
    this.#present.set(place, uid);
    this.#places.set(uid, place);
    const specs = this.#specs.get(uid) ?? [];
    this.#specs.set(uid, specs);
    if (specs.at(-1)?.generation === generation) return;
    const emails = (object.spec?.['emailAddresses'] ?? []) as string[];
    specs.push({ at: runNow(this.#clock), generation, emails });
  }

  /** An attempt is made only for a key that is stored. */
  #takeJournal(at: string, object: Stored | undefined): void {
    // Records stand in another object.
    if (!at.endsWith('-journal')) return;
    const open = new Map<string, string>();
    for (const [key, text] of Object.entries(object?.data ?? {})) {
      const [, uid] = ENTRY.exec(key) ?? [];
      if (uid === undefined) continue;
      const { id, entry } = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as {
        id: string;
        entry: { publicKeyHash: string };
      };
      open.set(id, uid);
      if (this.#attempts.has(id)) continue;
      this.#attempts.add(id);
      const { publicKeyHash } = entry;
      this.#asked.add(publicKeyHash);
      if (this.#pending.get(uid)?.key !== publicKeyHash)
        this.lostKeys.push(`${this.#places.get(uid)} made an attempt for a key that is stored nowhere`);
    }
    const others = [...this.#open].filter(([id]) => !this.#isOf(id, at));
    this.#open = new Map([...others, ...open]);
    for (const id of open.keys()) this.#journalOf.set(id, at);
  }

  readonly #journalOf = new Map<string, string>();

  #isOf(id: string, journal: string): boolean {
    return this.#journalOf.get(id) === journal;
  }

  #takeSecret(place: string, revision: number, object: Stored | undefined): void {
    const uid = object?.metadata.annotations?.[PENDING] ?? this.#pendingUids.get(place);
    if (uid !== undefined) {
      this.#takePending(place, uid, object);
      return;
    }
    if (!this.#follows(place)) return;
    const mark = object?.metadata.annotations?.[TAMPERED];
    const isOwn = mark !== undefined && mark !== this.#tampered.get(place);
    this.#tampered.set(place, mark);
    if (!object || isOwn) return;
    const data = object.data ?? {};
    this.secrets.push({ place, revision, at: runNow(this.#clock), data });
    const key = keyIn(data);
    const served = this.#served.get(place) ?? new Set();
    if (key !== undefined) served.add(key);
    this.#served.set(place, served);
  }

  /** A key that CAcert may have been asked for stays until it is served, or until its certificate is there and unfit. */
  #takePending(at: string, uid: string, object: Stored | undefined): void {
    this.#pendingUids.set(at, uid);
    const before = this.#pending.get(uid);
    const data = object?.data ?? {};
    const now: Pending = { key: keyIn(data), hasCertificate: (data['tls.crt'] ?? '') !== '' };
    if (object) this.#pending.set(uid, now);
    else this.#pending.delete(uid);
    if (now.key !== undefined && !this.#owners.has(now.key)) this.#owners.set(now.key, uid);
    const place = this.#places.get(uid) ?? '';
    const { key } = before ?? {};
    if (key === undefined || key === now.key || !this.#asked.has(key)) return;
    const isServed = this.#served.get(place)?.has(key) === true;
    const isGone = this.#present.get(place) !== uid;
    const isReplaced = object !== undefined && before?.hasCertificate === true;
    if (!isServed && !isGone && !isReplaced)
      this.lostKeys.push(`${place} lost a key that CAcert was asked for, in ${at}`);
  }
}
