import type { AccountWork, Outcome } from '../account/act.ts';
import { clientFault } from '../account/check.ts';
import type { CAcertAccount } from '../api/kinds.ts';
import type { ReadyCAcertAccount } from '../issuance/cacert/directory.ts';
import type { BackoffOptions } from '../lib/backoff.ts';
import type { Connect } from './decide.ts';
import { type Deps, holderOf } from './deps.ts';
import { type Report, report } from './report.ts';

/** Names and addresses rarely change, and the next certificate reveals a withdrawn login at the latest. */
export const CHECK_INTERVAL: BackoffOptions = { base: 4 * 3_600_000, max: 4 * 3_600_000, jitter: 0.25 };

const RATE_LIMITED = {
  reason: 'RateLimitExceeded',
  message: 'CAcert refuses more requests for now. The account is checked as soon as CAcert allows it.',
};

/** How a CAcert account is checked and reported. */
export function workOf(deps: Deps): AccountWork<CAcertAccount, Connect, { issuer: ReadyCAcertAccount }> {
  return {
    clock: deps.clock,
    random: deps.random,
    accounts: deps.accounts,
    directory: deps.directory,
    holderOf,
    resources: deps.resources,
    interval: CHECK_INTERVAL,
    rateLimited: RATE_LIMITED,
    known: (_, issuer, { bundle }) => ({ issuer: { ...issuer, bundle } }),
    probe: async (resource, account, { bundle }, signal) => ({
      issuer: {
        key: holderOf(resource),
        account,
        details: await account.client.getAccount({ signal }),
        bundle,
      },
    }),
    faultOf: clientFault,
    report: (resource, outcome, { signal }) => report(deps, resource, contentOf(outcome), signal),
  };
}

function contentOf(outcome: Outcome<{ issuer: ReadyCAcertAccount }>): Report {
  if (outcome.is === 'unchecked') return { ready: true, found: outcome.issuer };
  const found = outcome.is === 'ready' ? { found: outcome.found.issuer } : {};
  if (!outcome.why) return { ready: true, ...found };
  const { reason, message } = outcome.why;
  return { ready: false, reason, message, ...found };
}
