import type { IssuerName } from './issuers.ts';
import { type Tag, Tags } from './names.ts';
import type { Random } from './random.ts';

export const MAIN = ['chaos-1', 'chaos-2', 'chaos-3'] as const;
export const OTHER = ['other-1', 'other-2'] as const;

/** Names besides the common one: enough to have many orders. */
const ALIASES = ['a', 'b', 'c', 'd', 'e'];

/** A TinyCertCertificate as the run wants it. */
export interface Wanted {
  party: 'main' | 'other';
  namespace: string;
  name: string;
  issuer: IssuerName;
  commonName: string;
  names: readonly string[];
  /** Fields of the spec besides names, Secret and issuer. */
  more: Record<string, unknown>;
  tag: Tag;
  /** Changes of spec so far. */
  version: number;
  /** It is not yet created, or currently deleted. */
  gone: boolean;
  /** Somebody forged its status, so it may have to be issued again. */
  forged: number;
}

/** All certificates of a run, and the tags of everything that was ever requested. */
export class Population {
  readonly tags = new Tags();
  readonly all: Wanted[] = [];
  readonly #random: Random;

  /** At least 20 certificates of the main installation, and seven of the other. */
  constructor(count: number, random: Random) {
    this.#random = random;
    const marked = Math.max(4, Math.floor(count / 6));
    const shared = Math.ceil(count / 5);
    const far = Math.floor(count / 8);
    const same = hosts('same.chaos.test');
    // The same request at both endpoints, and several times at each.
    for (let i = 0; i < 10; i += 1) this.#main(i, `same-${i}`, i % 5 < 3 ? 'plain' : 'far', same);
    for (let i = 0; i < shared; i += 1)
      this.#main(i, `shared-${i}`, 'plain', ['shared.chaos.test', ...hosts(`shared-${i}.chaos.test`)]);
    // Each pair requests the same names.
    for (let i = 0; i < marked; i += 1)
      this.#main(i, `marked-${i}`, i % 4 < 2 ? 'marked' : 'far-marked', hosts(`marked-${i >> 1}.chaos.test`));
    // Each requests at the other endpoint what another one requests at the first.
    for (let i = 0; i < far; i += 1) this.#main(i, `far-${i}`, 'far', hosts(`plain-${i}.chaos.test`));
    for (let i = 0; i < Math.max(2, count - 10 - shared - marked - far); i += 1)
      this.#main(i, `plain-${i}`, 'plain', hosts(`plain-${i}.chaos.test`));
    for (const [i, names] of [same, same, hosts('plain-0.chaos.test'), hosts('plain-1.chaos.test')].entries())
      this.#other(i, `elsewhere-${i}`, 'elsewhere', names);
    for (let i = 0; i < 3; i += 1)
      this.#other(i, `marked-${i}`, i < 2 ? 'marked' : 'far-marked', hosts(`marked-${i >> 1}.chaos.test`));
  }

  of(party: Wanted['party']): Wanted[] {
    return this.all.filter((wanted) => wanted.party === party);
  }

  find(namespace: string, name: string): Wanted | undefined {
    return this.all.find((wanted) => wanted.namespace === namespace && wanted.name === name);
  }

  /** The spec as it should be now. */
  specOf({ name, issuer, commonName, tag, more }: Wanted): Record<string, unknown> {
    return { secretName: name, issuerRef: { name: issuer }, commonName, dnsNames: tag.names, ...more };
  }

  /** Changes the names that are wanted. */
  change(wanted: Wanted): void {
    wanted.version += 1;
    const fresh = `v${wanted.version}.${wanted.name}.${wanted.namespace}.chaos.test`;
    wanted.names = [wanted.commonName, ...hosts(fresh)];
    this.retag(wanted);
  }

  /** Wants the same names of another issuer. */
  switch(wanted: Wanted, issuer: IssuerName): void {
    wanted.issuer = issuer;
    this.retag(wanted);
  }

  /** A new object wants the same names. */
  retag(wanted: Wanted): void {
    const { party, namespace, name, issuer, commonName, names } = wanted;
    wanted.tag = this.tags.give({ party, namespace, name, issuer, commonName, names });
  }

  /** The request of a person who wants the same. */
  twinOf({ commonName, names, issuer }: Wanted): Tag {
    return this.tags.give({ party: 'person', namespace: '', name: '', issuer, commonName, names });
  }

  #main(i: number, name: string, issuer: IssuerName, names: string[]): void {
    this.#add('main', MAIN[i % MAIN.length] ?? '', name, issuer, names);
  }

  #other(i: number, name: string, issuer: IssuerName, names: string[]): void {
    this.#add('other', OTHER[i % OTHER.length] ?? '', name, issuer, names);
  }

  #add(party: Wanted['party'], namespace: string, name: string, issuer: IssuerName, names: string[]): void {
    const commonName = names[0] ?? '';
    const tag = this.tags.give({ party, namespace, name, issuer, commonName, names });
    const more = this.#policies();
    this.all.push({
      party,
      namespace,
      name,
      issuer,
      commonName,
      names,
      more,
      tag,
      version: 0,
      gone: true,
      forged: 0,
    });
  }

  #policies(): Record<string, unknown> {
    const draw = this.#random.next();
    if (draw < 0.1)
      return { privateKey: { rotationPolicy: 'Always' }, revocation: { onReplace: 'Revoke', delay: '10s' } };
    // Long enough for the promise to be pending when the resource is deleted.
    if (draw < 0.2) return { revocation: { onReplace: 'Hold', onDelete: 'Revoke', delay: '30m' } };
    if (draw < 0.28) return { revocation: { onReplace: 'Revoke', onDelete: 'Hold', delay: '30m' } };
    if (draw < 0.4) return { revocation: { onDelete: 'Revoke' } };
    if (draw < 0.48) return { revocation: { onDelete: 'Hold' }, secretDeletionPolicy: 'Delete' };
    return {};
  }
}

/** A host and its aliases. */
function hosts(name: string): string[] {
  return [name, ...ALIASES.map((alias) => `${alias}.${name}`)];
}
