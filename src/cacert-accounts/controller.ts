import type { CAcertLogin } from '../account/cacert-account.ts';
import { accountController } from '../account/controller.ts';
import { Failures } from '../account/failures.ts';
import type { CAcertAccount } from '../api/kinds.ts';
import { parseCAcertAccount } from '../api/parse.ts';
import { toleratingOldCrds } from '../issuance/status/outdated-crds.ts';
import type { Reconcile } from '../kube/controller/controller.ts';
import type { WorkQueue } from '../kube/controller/queue.ts';
import { act } from './act.ts';
import { decide } from './decide.ts';
import { type Deps, holderOf } from './deps.ts';
import { gather, type Inputs } from './gather.ts';

/** The controller of CAcert accounts. */
export function controller(deps: Deps, queue: WorkQueue): { reconcile: Reconcile; stop: () => void } {
  const failures = new Failures<CAcertLogin>();
  const { reconcile, stop } = accountController<CAcertAccount, Inputs, CAcertLogin>(
    {
      clock: deps.clock,
      resources: deps.resources,
      written: deps.written,
      directory: deps.directory,
      accounts: deps.accounts,
      secretWatches: deps.secretWatches,
      failures,
      holderOf,
      isKept: () => false,
      parse: parseCAcertAccount,
      gather: (resource, signal) => gather(deps, resource, signal),
      secretsOf: ({ credentials, caBundle }) => [credentials, caBundle],
      act: (resource, inputs, context) => act(deps, resource, decide(inputs), failures, context),
      report: (resource, why, context) => act(deps, resource, { do: 'report', ...why }, failures, context),
    },
    queue,
  );
  return { reconcile: toleratingOldCrds(reconcile), stop };
}
