import { accountController } from '../account/controller.ts';
import { Failures } from '../account/failures.ts';
import type { Account } from '../account/tinycert-account.ts';
import { parseIssuer } from '../api/parse.ts';
import { toleratingOldCrds } from '../issuance/status/outdated-crds.ts';
import type { Reconcile } from '../kube/controller/controller.ts';
import type { WorkQueue } from '../kube/controller/queue.ts';
import { act } from './act.ts';
import { decide } from './decide.ts';
import { type Deps, holderOf, type Issuer } from './deps.ts';
import { gather, type Inputs } from './gather.ts';
import { isKept } from './in-use.ts';

/** The controller of one issuer kind. */
export function controller(deps: Deps, queue: WorkQueue): { reconcile: Reconcile; stop: () => void } {
  const failures = new Failures<Account>();
  const { reconcile, stop } = accountController<Issuer, Inputs, Account>(
    {
      clock: deps.clock,
      resources: deps.issuers,
      written: deps.writtenIssuers,
      directory: deps.directory,
      accounts: deps.accounts,
      secretWatches: deps.secretWatches,
      failures,
      holderOf: (issuer) => holderOf(deps, issuer),
      isKept,
      parse: parseIssuer,
      gather: (issuer, signal) => gather(deps, issuer, signal),
      secretsOf: ({ credentials, caBundle }) => [credentials, caBundle],
      act: (issuer, inputs, context) => act(deps, issuer, decide(inputs), failures, context),
      report: (issuer, why, context) => act(deps, issuer, { do: 'report', ...why }, failures, context),
    },
    queue,
  );
  return { reconcile: toleratingOldCrds(reconcile), stop };
}
