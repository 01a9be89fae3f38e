import { accountController } from '../account/controller.ts';
import { parseCAcertAccount } from '../api/parse.ts';
import { toleratingOldCrds } from '../issuance/status/outdated-crds.ts';
import { reportingRefusals } from '../issuance/status/refused-status.ts';
import type { Reconcile } from '../kube/controller/controller.ts';
import type { WorkQueue } from '../kube/controller/queue.ts';
import { decide } from './decide.ts';
import type { Deps } from './deps.ts';
import { gather } from './gather.ts';
import { workOf } from './work.ts';

/** The controller of CAcert accounts. */
export function controller(deps: Deps, queue: WorkQueue): { reconcile: Reconcile; stop: () => void } {
  const { reconcile, stop } = accountController(
    {
      ...workOf(deps),
      resources: deps.resources,
      written: deps.written,
      directory: deps.directory,
      accounts: deps.accounts,
      secretWatches: deps.secretWatches,
      isKept: () => false,
      parse: parseCAcertAccount,
      gather: (resource, signal) => gather(deps, resource, signal),
      decide,
    },
    queue,
  );
  return { reconcile: toleratingOldCrds(reportingRefusals(deps, reconcile)), stop };
}
