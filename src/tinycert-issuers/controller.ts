import { accountController } from '../account/controller.ts';
import { parseIssuer } from '../api/parse.ts';
import { toleratingOldCrds } from '../issuance/status/outdated-crds.ts';
import { reportingRefusals } from '../issuance/status/refused-status.ts';
import type { Reconcile } from '../kube/controller/controller.ts';
import type { WorkQueue } from '../kube/controller/queue.ts';
import { decide } from './decide.ts';
import type { Deps } from './deps.ts';
import { gather } from './gather.ts';
import { isKept } from './in-use.ts';
import { workOf } from './work.ts';

/** The controller of one issuer kind. */
export function controller(deps: Deps, queue: WorkQueue): { reconcile: Reconcile; stop: () => void } {
  const { reconcile, stop } = accountController(
    {
      ...workOf(deps),
      resources: deps.issuers,
      owners: deps.owners,
      written: deps.writtenIssuers,
      directory: deps.directory,
      accounts: deps.accounts,
      secretWatches: deps.secretWatches,
      isKept,
      parse: parseIssuer,
      gather: (issuer, signal) => gather(deps, issuer, signal),
      decide,
    },
    queue,
  );
  return {
    reconcile: toleratingOldCrds(reportingRefusals({ resources: deps.issuers, warn: deps.warn }, reconcile)),
    stop,
  };
}
