import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { AccountDigest } from '../../api/tinycert/identity.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import type { Deps } from './deps.ts';

/** How an account can be asked that a resource no longer uses. */
export interface AccountAccess {
  issuer: ReadyIssuer;
  /** No issuer has the account any more that the resource may refer to: this is its last session. */
  isLast: boolean;
}

/**
 * An issuer through which a resource may reach an account: a ready one of its own namespace or of the cluster, else the last
 * session of one. The resource has to prove with its seal that it used the account.
 */
export function accessTo(
  { directory, lastSessions }: Pick<Deps, 'directory' | 'lastSessions'>,
  { metadata: { namespace } }: Pick<TinyCertCertificate, 'metadata'>,
  account: AccountDigest,
): AccountAccess | undefined {
  for (const issuer of directory.ready()) {
    const isReachable =
      issuer.key.startsWith('TinyCertClusterIssuer:') ||
      issuer.key.startsWith(`TinyCertIssuer:${namespace}/`);
    if (isReachable && issuer.account.digest === account) return { issuer, isLast: false };
  }
  const issuer = lastSessions.of(account);
  return issuer && { issuer, isLast: true };
}
