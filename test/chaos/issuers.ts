/** The CAs of a run and their issuers. Both CAs number alike: the same ids name different authorities and certificates there. */

/** A TinyCert-compatible server; each is an endpoint. */
export const CAS = ['near', 'far'] as const;
export type CaName = (typeof CAS)[number];

export type IssuerName = 'plain' | 'marked' | 'elsewhere' | 'far' | 'far-marked';

/** What an issuer stands for. */
export interface IssuerFacts {
  ca: CaName;
  /** The organization of its authority. */
  authority: string;
  /** Its certificates have the marker of their resource. */
  isMarked: boolean;
}

/** What each issuer stands for, in every namespace that has it. */
export const ISSUERS: Record<IssuerName, IssuerFacts> = {
  plain: { ca: 'near', authority: 'Plain Org', isMarked: false },
  marked: { ca: 'near', authority: 'Marked Org', isMarked: true },
  elsewhere: { ca: 'near', authority: 'Elsewhere Org', isMarked: false },
  far: { ca: 'far', authority: 'Plain Org', isMarked: false },
  'far-marked': { ca: 'far', authority: 'Marked Org', isMarked: true },
};

/** The authorities of each CA, in the order in which it numbers them. */
export const AUTHORITIES = ['Plain Org', 'Marked Org', 'Elsewhere Org'] as const;

/** The issuers that the main installation's namespaces have, and those of the other installation's. */
export const ISSUERS_OF = {
  main: ['plain', 'marked', 'far', 'far-marked'],
  other: ['elsewhere', 'marked', 'far-marked'],
} as const satisfies Record<'main' | 'other', readonly IssuerName[]>;

/** The Secret with the credentials of an account at a CA. */
export function credentialsOf(ca: CaName): string {
  return ca === 'near' ? 'account' : `account-${ca}`;
}
