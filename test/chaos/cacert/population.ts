import { permutation } from '../names.ts';
import { MAIN } from '../population.ts';
import { memberOf, nameOf } from './members.ts';

/** One wish for a client certificate, identified by the order of its addresses, which mean the same in any order. */
export interface MailWish {
  /** NAMESPACE/NAME of the resource. */
  place: string;
  commonName: string | undefined;
  /** In the order that only this wish has. */
  emails: readonly string[];
  /** Equal for wishes that the operator cannot tell apart. */
  request: string;
}

/** A CAcertCertificate as the run wants it. */
export interface MailWanted {
  namespace: string;
  name: string;
  wish: MailWish;
  keepsKey: boolean;
  /** It is not yet created, or currently deleted. */
  gone: boolean;
}

/** All CAcert certificates of a run, and every wish that there ever was. */
export class MailPopulation {
  readonly all: MailWanted[] = [];
  readonly #wishes = new Map<string, MailWish>();
  readonly #turns = new Map<string, number>();

  constructor(count: number) {
    for (let i = 0; i < count; i += 1) {
      const namespace = MAIN[i % MAIN.length] ?? '';
      const name = `mail-${i}`;
      const wish = this.#wish({ namespace, name }, i);
      this.all.push({ namespace, name, wish, keepsKey: i % 3 === 2, gone: true });
    }
  }

  find(place: string): MailWanted | undefined {
    return this.all.find(({ namespace, name }) => `${namespace}/${name}` === place);
  }

  /** The wish that a certificate fulfils, by the order of its addresses. */
  wishOf(emails: readonly string[]): MailWish | undefined {
    return this.#wishes.get(emails.join(','));
  }

  specOf({ namespace, name, wish, keepsKey }: MailWanted): Record<string, unknown> {
    return {
      secretName: name,
      accountRef: { name: 'member' },
      emailAddresses: wish.emails,
      ...(wish.commonName === undefined ? {} : { commonName: wish.commonName }),
      // Small keys, which are made fast.
      privateKey: { size: 2048, rotationPolicy: keepsKey ? 'Never' : 'Always' },
      secretDeletionPolicy: namespace === MAIN[0] ? 'Delete' : 'Retain',
    };
  }

  /** Wants other addresses, or another name. */
  change(wanted: MailWanted, draw: number): void {
    wanted.wish = this.#wish(wanted, 1 + Math.floor(draw * 1_000));
  }

  /** A new object wants the same. */
  renew(wanted: MailWanted): void {
    const { commonName, emails } = wanted.wish;
    wanted.wish = this.#order(`${wanted.namespace}/${wanted.name}`, commonName, [...emails].sort());
  }

  #wish({ namespace, name }: Pick<MailWanted, 'namespace' | 'name'>, choice: number): MailWish {
    const member = memberOf(namespace);
    const left = member.emails.filter((_, i) => i === 0 || i !== 1 + (choice % (member.emails.length - 1)));
    const emails = choice % 3 === 0 ? member.emails : left;
    return this.#order(
      `${namespace}/${name}`,
      choice % 2 === 0 ? nameOf(member) : undefined,
      [...emails].sort(),
    );
  }

  #order(place: string, commonName: string | undefined, sorted: readonly string[]): MailWish {
    const set = sorted.join(',');
    const turn = this.#turns.get(set) ?? 0;
    this.#turns.set(set, turn + 1);
    const emails = permutation(sorted, turn);
    const wish = { place, commonName, emails, request: `${commonName ?? ''} ${set}` };
    this.#wishes.set(emails.join(','), wish);
    return wish;
  }
}
