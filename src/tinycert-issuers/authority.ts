import type { Reason } from '../lib/reason.ts';
import type { Account } from '../account/tinycert-account.ts';
import type { IssuerSpec } from '../api/tinycert/issuer-spec.ts';
import type { AuthorityMaterial } from '../issuance/tinycert/issuer-directory.ts';
import type { AuthoritySummary } from '../tinycert/index.ts';
import { readCertificate } from '../x509/certificate.ts';

/** The one authority of the account that the spec means, or why it cannot be told. */
export function pickAuthority(
  wanted: IssuerSpec['authority'],
  all: readonly AuthoritySummary[],
): AuthoritySummary | Reason {
  const matching = all.filter(({ id, name }) =>
    wanted.id === undefined ? name === wanted.name : id === wanted.id,
  );
  const [only] = matching;
  if (only && matching.length === 1) return only;
  if (matching.length > 1) {
    const ids = matching.map(({ id }) => id).join(', ');
    return {
      reason: 'AuthorityAmbiguous',
      message: `The account has ${matching.length} authorities named "${wanted.name}": set authority.id to one of ${ids}.`,
    };
  }
  const what = wanted.id === undefined ? `named "${wanted.name}"` : `with the id ${wanted.id}`;
  return { reason: 'AuthorityNotFound', message: `The account has no authority ${what}. ${inventory(all)}` };
}

type Material = () => Promise<AuthorityMaterial>;

/** What is kept lives as long as the account it came from. */
const kept = new WeakMap<Account, Map<number, Material>>();

/**
 * Subject and certificate of an authority, fetched from the CA by the first who asks and then kept. A failure is not
 * kept.
 */
export function authorityMaterial(account: Account, authorityId: number): Material {
  const ofAccount = kept.get(account) ?? new Map<number, Material>();
  kept.set(account, ofAccount);
  const material = ofAccount.get(authorityId) ?? once(() => fetchMaterial(account, authorityId));
  ofAccount.set(authorityId, material);
  return material;
}

function once(fetch: Material): Material {
  let pending: Promise<AuthorityMaterial> | undefined;
  return () => {
    pending ??= fetch().catch((error: unknown) => {
      pending = undefined;
      throw error;
    });
    return pending;
  };
}

/** Bound to the signal of no caller, since others wait for the same. The client's deadline bounds it. */
async function fetchMaterial({ client }: Account, authorityId: number): Promise<AuthorityMaterial> {
  const [details, pem] = await Promise.all([
    client.getAuthority(authorityId),
    client.getAuthorityCertificate(authorityId),
  ]);
  const { commonName: _, ...subject } = details.subject;
  return { root: readCertificate(pem), subject, hashAlgorithm: details.hashAlgorithm };
}

function inventory(all: readonly AuthoritySummary[]): string {
  if (all.length === 0) return 'It has none yet: make one at TinyCert.';
  const listed = all.slice(0, 10).map(({ id, name }) => `${id} "${name}"`);
  return `It has ${listed.join(', ')}${all.length > listed.length ? ' and others' : ''}.`;
}
