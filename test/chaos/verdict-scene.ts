import type { CertificateView, JournalEntry } from '../../tools/dev-server/types.ts';
import type { Stored } from './etcd.ts';
import type { Claims, End } from './history.ts';
import type { Abandoned, Entry, Released } from './journal.ts';
import type { Evidence } from './ledger.ts';
import { type Tag, Tags } from './names.ts';
import type { Reign } from './operator.ts';
import { judge } from './verdict.ts';

/** The authority of every certificate, unless told otherwise. */
export const CA = 101;

/** A small world for the witnesses: what the CA issued, what resources and issuers report, and what the journal holds. */
export class Scene {
  readonly tags = new Tags();
  readonly certificates: CertificateView[] = [];
  readonly journal: JournalEntry[] = [];
  readonly allowances = new Map<Tag, number>();
  readonly forgotten = new Set<Tag>();
  readonly ends: End[] = [];
  readonly entries: Entry[] = [];
  readonly released: Released[] = [];
  readonly abandoned: Abandoned[] = [];
  /** An operator that led all the time. */
  reigns: Reign[] = [{ namespaces: ['n'], startedAt: 0, from: 0, to: 100_000 }];
  readonly #resources = new Map<string, Stored>();
  readonly #issuers: Stored[] = [];
  readonly #claims = new Map<string, Claims>();
  #nextId = 5001;

  wish(name: string, host = name, more: Partial<Tag> = {}): Tag {
    const names = [host, `a.${host}`, `b.${host}`];
    const tag = {
      party: 'main',
      namespace: 'n',
      name,
      issuer: 'plain',
      commonName: host,
      names,
      ...more,
    } as const;
    return this.tags.give(tag);
  }

  /** The CA issues a certificate for a wish. */
  buy(tag: Tag, more: Partial<CertificateView> = {}, call: Partial<JournalEntry> = {}): number {
    const id = this.#nextId++;
    const seq = this.journal.length + 1;
    const isReissue = more.previousId !== undefined;
    this.journal.push({
      seq,
      at: 0,
      method: 'POST',
      call: isReissue ? 'cert/reissue' : 'cert/new',
      params: isReissue ? { cert_id: String(more.previousId) } : {},
      result: { certId: id },
      client: 0,
      body: '',
      ...call,
    });
    this.certificates.push({
      id,
      caId: CA,
      account: 'a',
      cn: tag.commonName,
      subject: { C: 'NL', O: 'O', CN: tag.commonName },
      names: tag.names.map((value) => ({ type: 'DNS', value })),
      status: 'good',
      keyFingerprint: String(id),
      notBefore: 1_000,
      notAfter: 2_000,
      origin: seq,
      ...more,
    });
    const previous = this.certificates.find((one) => one.id === more.previousId);
    if (previous) Object.assign(previous, { replacedBy: id, status: 'obsolete' });
    return id;
  }

  /** An attempt of the resource was open between these times, and `later` is what it wished before that was concluded. */
  attempt(tag: Tag, since: number, until: number, { isDoubted = false, later = tag } = {}): this {
    const { windows, doubted } = this.#claimsOf(`${tag.namespace}/${tag.name}`);
    const asked = new Set([tag, later].map(({ names }) => names.join(',')));
    windows.set(String(since), { since, until, asked });
    if (isDoubted) doubted.set(String(since), { since, until, asked });
    return this;
  }

  /** The resource's status is now this. */
  claim(tag: Tag, certificateId: number, previousId?: number, former: number[] = []): this {
    const place = `${tag.namespace}/${tag.name}`;
    const claims = this.#claimsOf(place);
    for (const id of [certificateId, ...former]) claims.heard.add(id);
    if (previousId !== undefined) claims.reissued.add(previousId);
    this.#resources.set(place, {
      metadata: { name: tag.name, namespace: tag.namespace, uid: place },
      status: { certificateId, formerCertificates: former.map((id) => ({ certificateId: id })) },
    });
    return this;
  }

  issuer(status: Record<string, unknown>): this {
    this.#issuers.push({ metadata: { name: 'plain', namespace: 'n', uid: 'i' }, status });
    return this;
  }

  verdict(): ReturnType<typeof judge> {
    const evidence: Evidence = {
      certificates: this.certificates,
      journal: this.journal,
      authorities: [],
      tags: this.tags,
      allowances: this.allowances,
      forgotten: this.forgotten,
      reigns: this.reigns,
      rekeys: ({ name }) => name === 'rekeyed',
      history: {
        secrets: [],
        ends: this.ends,
        claims: (place) => this.#claimsOf(place),
        certificates: () => [...this.#resources.values()],
        issuers: () => this.#issuers,
        journals: () => ({ entries: this.entries, released: this.released, abandoned: this.abandoned }),
        givenUp: new Set(
          this.released
            .filter(({ cause }) => cause !== 'Undecided')
            .map(({ certificateId }) => certificateId),
        ),
      },
    };
    return judge(evidence);
  }

  #claimsOf(place: string): Claims {
    const known = this.#claims.get(place) ?? {
      heard: new Set(),
      reissued: new Set(),
      windows: new Map(),
      doubted: new Map(),
    };
    this.#claims.set(place, known);
    return known;
  }
}
