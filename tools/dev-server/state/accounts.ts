import { randomBytes } from 'node:crypto';
import { type Works, createAuthority } from '../calls/issuing.ts';
import type { Account, Authority, Store } from './store.ts';
import type { AccountCredentials, AuthorityPreset } from '../types.ts';

const OWN = 1;
const OTHER = 2;

const DEFAULT_AUTHORITY: AuthorityPreset = { organization: 'Example Org', country: 'US' };
const OTHERS_AUTHORITY: AuthorityPreset = { organization: 'Other Customer', country: 'NL' };

/** The built-in account: from the options, else from the state file, else made up. */
export function ownAccount(store: Store, given: Partial<AccountCredentials>): Account {
  return put(store, {
    id: OWN,
    email: 'dev@example.com',
    ...secrets(),
    ...store.accounts.get(OWN),
    ...(given.email === undefined ? {} : { email: given.email }),
    ...(given.passphrase === undefined ? {} : { passphrase: given.passphrase }),
    ...(given.apiKey === undefined ? {} : { apiKey: given.apiKey }),
  });
}

/** The other customer of the service. */
export function otherAccount(store: Store): Account {
  const kept = store.accounts.get(OTHER);
  return kept ?? put(store, { id: OTHER, email: 'someone@else.example', ...secrets() });
}

function secrets(): { passphrase: string; apiKey: string } {
  return { passphrase: randomBytes(12).toString('base64url'), apiKey: randomBytes(24).toString('base64url') };
}

function put(store: Store, account: Account): Account {
  store.accounts.set(account.id, account);
  return account;
}

/** The first authority of each account. Creates authorities, from the presets, for an account without any. */
export async function seedAuthorities(
  works: Works,
  own: Account,
  other: Account,
  presets: AuthorityPreset[] = [DEFAULT_AUTHORITY],
): Promise<[own: Authority, other: Authority]> {
  let [first] = works.store.authoritiesOf(own);
  if (!first) {
    for (const preset of presets) {
      const authority = await createAuthority(works, own, preset);
      first ??= authority;
    }
  }
  let [othersFirst] = works.store.authoritiesOf(other);
  othersFirst ??= await createAuthority(works, other, OTHERS_AUTHORITY);
  first ??= await createAuthority(works, own, DEFAULT_AUTHORITY);
  return [first, othersFirst];
}
