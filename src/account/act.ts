import type { ReconcileContext, ReconcileResult } from '../kube/controller/controller.ts';
import { keyOf, type KubeObject } from '../kube/objects.ts';
import type { Store } from '../kube/watch/store.ts';
import type { BackoffOptions } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Reason } from '../lib/reason.ts';
import { check, type CheckFault } from './check.ts';
import type { Plan } from './decide.ts';
import type { Directory } from './directory.ts';
import type { Failures } from './failures.ts';
import type { Gate } from './gate/gate.ts';

/** An issuer or account that certificates can be issued by: what a directory has of one that is ready. */
export interface UsableIssuer {
  account: { gate: Gate };
}

/** What a check finds: the issuer, and what a kind of resource shows besides. */
export interface Finding<I extends UsableIssuer> {
  issuer: I;
}

type IssuerOf<F extends Finding<UsableIssuer>> = F['issuer'];
type AccountOf<F extends Finding<UsableIssuer>> = F['issuer']['account'];

/** The outcome of one reconcile of a resource that names an account: what its status reports. */
export type Outcome<F extends Finding<UsableIssuer>> =
  /** There is nothing to connect with. */
  | { is: 'disconnected'; why: Reason }
  | ({ account: AccountOf<F> } & (
      | {
          is: 'ready';
          found: F;
          isFresh: boolean;
          /** Set if issuing failed last. */ why: Reason | undefined;
        }
      /** Not checked because of a rate limit, and ready before it. */
      | { is: 'unchecked'; issuer: IssuerOf<F> }
      /** Not checked, and not ready: the breaker is open, or a rate limit forbids the first check. */
      | { is: 'stopped'; why: Reason }
      /** The account lacks something that the resource names. */
      | { is: 'absent'; why: Reason }
      /** `nextCheckMs`: when it is checked again, in milliseconds from now. */
      | { is: 'failed'; why: CheckFault; nextCheckMs: number }
    ));

/** How one kind of resource uses the account that it names. `P`: what a plan to connect holds. */
export interface AccountWork<
  R extends KubeObject,
  P extends { connection: object },
  F extends Finding<UsableIssuer>,
> {
  clock: Clock;
  random?: (() => number) | undefined;
  accounts: {
    acquire: (holder: string, connection: P['connection']) => Promise<AccountOf<F>>;
    release: (holder: string) => Promise<void>;
  };
  directory: Pick<Directory<IssuerOf<F>>, 'get' | 'set'>;
  /** The key of a resource in directory, registry and watches. */
  holderOf: (resource: Pick<KubeObject, 'metadata'>) => string;
  resources: Pick<Store<R>, 'get'>;
  /** How often to check an account that works. */
  interval: BackoffOptions;
  /** Why an account is not ready while a rate limit prevents its first check. */
  rateLimited: Reason;
  /** The finding for an issuer that the directory already has; undefined if the CA has to be asked all the same. */
  known: (resource: R, issuer: IssuerOf<F>, plan: P) => F | undefined;
  /** Asks the CA. Resolves to a reason if the account lacks something that the resource names. */
  probe: (resource: R, account: AccountOf<F>, plan: P, signal: AbortSignal) => Promise<F | Reason>;
  /** Undefined for an error that is no failed check. */
  faultOf: (error: unknown) => CheckFault | undefined;
  /** Writes the outcome into the resource's status. */
  report: (resource: R, outcome: Outcome<F>, context: ReconcileContext) => Promise<void>;
}

/** Whether a resource still exists. One that was created again under its name is another one. */
export function isPresent<R extends KubeObject>(resources: Pick<Store<R>, 'get'>, resource: R): boolean {
  return resources.get(keyOf(resource))?.metadata.uid === resource.metadata.uid;
}

/**
 * Executes a plan: acquires and checks the account, updates the directory, and reports the outcome in status. What is found
 * about a resource that went meanwhile is dropped, so that nothing is issued on the word of an issuer that is gone.
 */
export async function act<
  R extends KubeObject,
  P extends { connection: object },
  F extends Finding<UsableIssuer>,
>(
  work: AccountWork<R, P, F>,
  failures: Failures<AccountOf<F>>,
  resource: R,
  plan: Plan<P>,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { directory, accounts, report } = work;
  const holder = work.holderOf(resource);
  if (plan.do === 'report') {
    const why = { reason: plan.reason, message: plan.message };
    await accounts.release(holder);
    if (!isPresent(work.resources, resource)) return {};
    directory.set(holder, { ready: false, ...why });
    await report(resource, { is: 'disconnected', why }, context);
    return {};
  }
  const { signal } = context;
  const account = await accounts.acquire(holder, plan.connection);
  const before = directory.get(holder);
  const checked = await check<AccountOf<F>, F>({
    account,
    holder,
    generation: resource.metadata.generation,
    failures,
    clock: work.clock,
    random: work.random,
    known: before?.ready ? work.known(resource, before.issuer, plan) : undefined,
    interval: work.interval,
    probe: () => work.probe(resource, account, plan, signal),
    faultOf: (error) => (signal.aborted ? undefined : work.faultOf(error)),
  });
  if (!isPresent(work.resources, resource)) return {};
  const { requeueAfterMs } = checked;
  const notReady = ({ reason, message }: Reason): void =>
    directory.set(holder, { ready: false, reason, message, account });
  switch (checked.is) {
    case 'ready': {
      const { found, isFresh } = checked;
      directory.set(holder, { ready: true, issuer: found.issuer });
      await report(resource, { is: 'ready', account, found, isFresh, why: account.gate.fault }, context);
      return { requeueAfterMs };
    }
    case 'stopped': {
      const { fault } = account.gate.breaker;
      // Read again: a certificate may have reported a fault of the login during the check.
      const known = directory.get(holder);
      const issuer = known?.ready && known.issuer.account === account ? known.issuer : undefined;
      const why = fault ?? work.rateLimited;
      // An issuer that was ready stays in the directory: while the breaker is open, the gate stops its certificates.
      if (!issuer) notReady(why);
      await report(
        resource,
        issuer && !fault ? { is: 'unchecked', account, issuer } : { is: 'stopped', account, why },
        context,
      );
      return { requeueAfterMs };
    }
    case 'absent':
      notReady(checked.why);
      await report(resource, { is: 'absent', account, why: checked.why }, context);
      return { requeueAfterMs };
    case 'failed':
      notReady(checked.fault);
      await report(
        resource,
        { is: 'failed', account, why: checked.fault, nextCheckMs: requeueAfterMs },
        context,
      );
      return { requeueAfterMs };
    default:
      return checked satisfies never;
  }
}
