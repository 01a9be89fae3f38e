import type { Authority, Called, Issued } from '../ca.ts';
import type { Stored } from '../etcd.ts';
import { AUTHORITIES, type CaName, CAS, type IssuerName, ISSUERS } from '../issuers.ts';
import type { Duty } from './duties.ts';
import { type Claims, claimsAt, type End } from './history.ts';
import { keyOf, type Ref } from './identity.ts';
import type { Abandoned, Entry, Released } from './journal.ts';
import type { Evidence } from './ledger.ts';
import { type Tag, Tags } from '../names.ts';
import type { Reign } from '../operator.ts';
import { judge } from './verdict.ts';

const FIRST_AUTHORITY = 101;

/** The account at each CA. Both number their authorities and certificates alike. */
function accountAt(ca: CaName): string {
  return `account at ${ca}`;
}

/** The certificate with this id of an issuer. */
export function ref(certificateId: number, issuer: IssuerName = 'plain'): Ref {
  const { ca, authority } = ISSUERS[issuer];
  const authorityId = FIRST_AUTHORITY + (AUTHORITIES as readonly string[]).indexOf(authority);
  return { account: accountAt(ca), authorityId, certificateId };
}

const authorities: readonly Authority[] = CAS.flatMap((ca) =>
  AUTHORITIES.map((name, i) => ({
    id: FIRST_AUTHORITY + i,
    account: accountAt(ca),
    ca,
    name,
    subject: { C: 'NL', O: name, CN: name },
    hashMethod: 'sha256',
    notBefore: 0,
    notAfter: 1_000_000,
    pem: '',
  })),
);

/** A small world for the witnesses: what the CAs issued, what resources and issuers report, and what the journal holds. */
export class Scene {
  readonly tags = new Tags();
  readonly certificates: Issued[] = [];
  readonly journal: Called[] = [];
  readonly allowances = new Map<Tag, number>();
  readonly forgotten = new Set<Tag>();
  readonly ends: End[] = [];
  readonly duties: Duty[] = [];
  readonly entries: Entry[] = [];
  readonly released: Released[] = [];
  readonly abandoned: Abandoned[] = [];
  /** An operator that led all the time. */
  reigns: Reign[] = [{ namespaces: ['n'], startedAt: 0, from: 0, to: 100_000 }];
  readonly #resources = new Map<string, Stored>();
  readonly #issuers: Stored[] = [];
  readonly #claims = new Map<string, Claims>();
  readonly #nextId = { near: 5001, far: 5001 };

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

  /** A CA issues a certificate for a wish: that of its issuer. Returns the id. */
  buy(tag: Tag, more: Partial<Issued> = {}, call: Partial<Called> = {}): number {
    const { ca } = ISSUERS[tag.issuer];
    const { account, authorityId, certificateId: id } = ref(this.#nextId[ca]++, tag.issuer);
    const seq = this.journal.length + 1;
    const isReissue = more.previousId !== undefined;
    this.journal.push({
      ca,
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
      ca,
      caId: authorityId,
      account,
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
    const previous = this.certificates.find((one) => one.ca === ca && one.id === more.previousId);
    if (previous) Object.assign(previous, { replacedBy: id, status: 'obsolete' });
    return id;
  }

  /** An attempt of the resource was open between these times, and `later` is what it wished before that was concluded. */
  attempt(tag: Tag, since: number, until: number, { isDoubted = false, later = tag } = {}): this {
    const { windows, doubted } = this.#claimsOf(`${tag.namespace}/${tag.name}`);
    const asked = new Set([tag, later].map(({ names }) => names.join(',')));
    const window = { ...ref(0, tag.issuer), since, until, asked };
    windows.set(String(since), window);
    if (isDoubted) doubted.set(String(since), window);
    return this;
  }

  /** The resource's status is now this. */
  claim(tag: Tag, certificateId: number, previousId?: number, former: number[] = []): this {
    const place = `${tag.namespace}/${tag.name}`;
    const claims = this.#claimsOf(place);
    const own = (id: number): Ref => ref(id, tag.issuer);
    for (const id of [certificateId, ...former]) claims.heard.add(keyOf(own(id)));
    if (previousId !== undefined) claims.reissued.add(keyOf(own(previousId)));
    this.#resources.set(place, {
      metadata: { name: tag.name, namespace: tag.namespace, uid: place },
      status: { ...own(certificateId), formerCertificates: former.map(own) },
    });
    return this;
  }

  /** The resource's status has this besides, of an account that it no longer uses. */
  leaves({ namespace, name }: Tag, former: object): this {
    const { status } = this.#resources.get(`${namespace}/${name}`) ?? {};
    if (status) status['formerAccounts'] = [former];
    return this;
  }

  /** An attempt of the resource was to reissue this certificate. */
  reissues({ namespace, name, issuer }: Tag, previousId: number): this {
    this.#claimsOf(`${namespace}/${name}`).reissued.add(keyOf(ref(previousId, issuer)));
    return this;
  }

  issuer(status: Record<string, unknown>): this {
    this.#issuers.push({ metadata: { name: 'plain', namespace: 'n', uid: 'i' }, status });
    return this;
  }

  verdict(): ReturnType<typeof judge> {
    return judge(this.evidence());
  }

  evidence(): Evidence {
    return {
      certificates: this.certificates,
      journal: this.journal,
      authorities,
      tags: this.tags,
      allowances: this.allowances,
      forgotten: this.forgotten,
      reigns: this.reigns,
      rekeys: ({ name }) => name === 'rekeyed',
      history: {
        secrets: [],
        ends: this.ends,
        duties: this.duties,
        claims: (place) => this.#claimsOf(place),
        certificates: () => [...this.#resources.values()],
        issuers: () => this.#issuers,
        journals: () => ({ entries: this.entries, released: this.released, abandoned: this.abandoned }),
        givenUp: new Set(this.released.filter(({ cause }) => cause !== 'Undecided').map(keyOf)),
      },
    };
  }

  #claimsOf(place: string): Claims {
    return claimsAt(this.#claims, place);
  }
}
