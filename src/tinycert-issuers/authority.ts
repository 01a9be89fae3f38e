import type { Reason } from '../lib/reason.ts';
import type { Account, AuthorityAnswer } from '../account/tinycert-account.ts';
import type { IssuerSpec } from '../api/tinycert/issuer-spec.ts';
import type { AuthorityMaterial } from '../issuance/tinycert/issuer-directory.ts';
import type { AuthoritySummary } from '../tinycert/index.ts';
import { readCertificate } from '../x509/certificate.ts';

/** The one authority of the account that the spec names, or why there is not exactly one. */
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
  return { reason: 'AuthorityNotFound', message: `The account has no authority ${what}. ${listed(all)}` };
}

/** What has been read of an answer: every purchase needs it, more than once. */
const materials = new WeakMap<AuthorityAnswer, AuthorityMaterial>();

/**
 * Subject and certificate of an authority. The first caller of an account fetches them, and the account keeps them; an
 * answer that cannot be read is not kept. Rejects with a `TinyCertError` or an `X509Error`.
 */
export async function authorityMaterial(
  { authorities, client }: Pick<Account, 'authorities' | 'client'>,
  authorityId: number,
): Promise<AuthorityMaterial> {
  const answer = await authorities.get(authorityId, async () => {
    // Without the caller's signal, since others wait for the same answer. The client's deadline bounds the calls.
    const [details, pem] = await Promise.all([
      client.getAuthority(authorityId),
      client.getAuthorityCertificate(authorityId),
    ]);
    const answered = { details, pem };
    materialOf(answered);
    return answered;
  });
  return materialOf(answer);
}

function materialOf(answer: AuthorityAnswer): AuthorityMaterial {
  const known = materials.get(answer);
  if (known) return known;
  const { details, pem } = answer;
  const { commonName: _, ...subject } = details.subject;
  const material = { root: readCertificate(pem), subject, hashAlgorithm: details.hashAlgorithm };
  materials.set(answer, material);
  return material;
}

function listed(all: readonly AuthoritySummary[]): string {
  if (all.length === 0) return 'It has none yet: create one at TinyCert.';
  const shown = all.slice(0, 10).map(({ id, name }) => `${id} "${name}"`);
  return `It has ${shown.join(', ')}${all.length > shown.length ? ' and others' : ''}.`;
}
