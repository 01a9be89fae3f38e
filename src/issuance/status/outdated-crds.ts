import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { Reconcile } from '../../kube/controller/controller.ts';
import { ApiError, type ApiErrorCause } from '../../kube/errors.ts';
import { AppError } from '../../lib/errors.ts';
import { conditionOf } from './conditions.ts';

/** The CRD that is installed does not know what the operator has to write down, so that nothing may be bought. */
export class CrdsOutdated extends AppError {
  constructor(options?: ErrorOptions) {
    super(
      'CRDsOutdated',
      'The installed CRDs are older than the operator: run kubectl apply -f crds/ of this release. Nothing is issued until then.',
      options,
    );
  }
}

/** How soon to look whether newer CRDs have been installed. */
export const CRDS_AGAIN_MS = 60_000;

/** Lets a controller wait for newer CRDs where one of its writes shows that they are older than the operator. */
export function toleratingOldCrds(reconcile: Reconcile): Reconcile {
  return async (key, context) => {
    try {
      return await reconcile(key, context);
    } catch (error) {
      if (!(error instanceof CrdsOutdated)) throw error;
      context.log.error({ error }, 'The installed CRDs are older than the operator');
      return { requeueAfterMs: CRDS_AGAIN_MS };
    }
  };
}

/** The API server does not take or keep the status of one resource, although the CRDs know every field of it. */
export class StatusRefused extends AppError {
  constructor(why: string, options?: ErrorOptions) {
    super(
      'StatusRefused',
      `The API server refuses the status of this resource, and nothing is issued for it until that is mended: ${why}`,
      options,
    );
  }
}

/** Whether the installed CRDs know every field of this release; `check` looks again. */
export interface CrdsFit {
  readonly fit: boolean;
  check: () => Promise<void>;
}

/**
 * Rethrows the failure of a strict write of status. Only the CRDs themselves tell whether they are older than the operator,
 * since anybody who may write a status can make the API server refuse the next write of it: a refusal becomes `CrdsOutdated`
 * if they lack a field, and otherwise `StatusRefused`, which concerns this resource alone.
 *
 * For an unknown field the API server names the patch as what is invalid, and puts the reason behind the whole object,
 * where a message of bounded length does not show it.
 */
export async function rethrowRefusal(crds: CrdsFit, error: unknown): Promise<never> {
  if (!(error instanceof ApiError) || error.status !== 422 || !error.causes.some(isOfStatus)) throw error;
  await crds.check();
  if (!crds.fit) throw new CrdsOutdated({ cause: error });
  throw new StatusRefused(error.message, { cause: error });
}

function isOfStatus({ field = '' }: ApiErrorCause): boolean {
  return field === 'patch' || field === 'status' || field.startsWith('status.');
}

/**
 * Whether nothing but conditions can stand in a status. Any write, of whatever field, makes the API server drop what its
 * CRD does not know, and reading drops it too: so under older CRDs a status is only written if it cannot hold an attempt,
 * which begins together with an Issuing condition.
 */
export function holdsConditionsOnly(status: Pick<CertificateStatus, 'conditions'> | undefined): boolean {
  const { conditions, ...others } = status ?? {};
  return Object.keys(others).length === 0 && conditionOf(conditions, 'Issuing')?.status !== 'True';
}
