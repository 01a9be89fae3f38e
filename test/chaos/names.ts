import type { IssuerName } from './issuers.ts';

/** The annotation that marks a version of a Secret as written by the run, not by an operator. */
export const TAMPERED = 'chaos.test/tampered';

/** One wish for a certificate, identified by the order of its names, which mean the same in any order. */
export interface Tag {
  party: 'main' | 'other' | 'person';
  /** Of the resource; '' for a person. */
  namespace: string;
  name: string;
  /** The issuer that it is for. */
  issuer: IssuerName;
  commonName: string;
  /** In the order that only this tag has. */
  names: readonly string[];
  /** Equal for wishes with the same names. */
  set: string;
}

/**
 * Gives every wish a unique order of its names. Names keep their order from the spec to the certificate, but a comparison of
 * names must ignore it. So the witnesses can identify the owner of a certificate where the operator cannot.
 */
export class Tags {
  readonly #byNames = new Map<string, Tag>();
  readonly #next = new Map<string, number>();

  /** A new tag for the same names. */
  give(wish: Omit<Tag, 'set' | 'names'> & { names: readonly string[] }): Tag {
    const sorted = [...new Set(wish.names)].sort();
    const set = sorted.join(',');
    const turn = this.#next.get(set) ?? 0;
    this.#next.set(set, turn + 1);
    const names = permutation(sorted, turn);
    const tag = { ...wish, names, set };
    this.#byNames.set(names.join(','), tag);
    return tag;
  }

  /** The wish that a certificate fulfils, by the order of its names. */
  of(names: readonly string[]): Tag | undefined {
    return this.#byNames.get(names.join(','));
  }

  all(): Tag[] {
    return [...this.#byNames.values()];
  }
}

/** The n-th order of a list. Throws a RangeError if it has fewer. */
export function permutation<T>(list: readonly T[], n: number): T[] {
  const left = [...list];
  let rest = n;
  const result: T[] = [];
  for (let size = left.length; size > 0; size -= 1) {
    const step = factorial(size - 1);
    const at = Math.floor(rest / step);
    rest %= step;
    if (at >= size) throw new RangeError('The list has fewer orders.');
    result.push(...left.splice(at, 1));
  }
  return result;
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}
