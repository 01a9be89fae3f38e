import type { Reconcile } from '../../kube/controller/controller.ts';
import { ApiError, type ApiErrorCause } from '../../kube/errors.ts';
import { AppError } from '../../lib/errors.ts';
import type { CertificateResource } from '../certificate-kind.ts';
import { refusalOf } from './refused-status.ts';

/** The installed CRD lacks fields that the operator has to store, so nothing may be bought. */
export class CrdsOutdated extends AppError {
  constructor(options?: ErrorOptions) {
    super(
      'CRDsOutdated',
      'The installed CRDs are older than the operator: run kubectl apply -f crds/ of this release. Nothing is issued until then.',
      options,
    );
  }
}

/** How soon to check again whether newer CRDs have been installed. */
export const CRDS_AGAIN_MS = 60_000;

/** Has a controller wait for newer CRDs if one of its writes shows that the installed ones are outdated. */
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

/** Whether the installed CRDs have every field of this release; `check` reads them again. */
export interface CrdsFit {
  readonly fit: boolean;
  check: () => Promise<void>;
}

/**
 * Rethrows the failure of a strict status write. A refused status becomes `CrdsOutdated` if the CRDs lack a field, and
 * otherwise `StatusRefused`, which concerns this resource alone. Only the CRDs themselves decide which: anyone who may write
 * a status can make the API server refuse the next write of it.
 *
 * For an unknown field the API server reports the patch as invalid, and puts the reason after a dump of the whole object,
 * where a message of limited length cuts it off.
 */
export async function rethrowRefusal(crds: CrdsFit, error: unknown): Promise<never> {
  if (error instanceof ApiError && error.status === 422 && error.causes.some(isOfStatus)) {
    await crds.check();
    if (!crds.fit) throw new CrdsOutdated({ cause: error });
  }
  throw refusalOf(error) ?? error;
}

function isOfStatus({ field = '' }: ApiErrorCause): boolean {
  return field === 'patch' || field === 'status' || field.startsWith('status.');
}

/**
 * Whether a status can contain nothing but conditions. The API server drops fields that its CRD lacks, on any write and on
 * reading too. So under older CRDs write only a status that has said nothing else.
 */
export function holdsConditionsOnly(status: CertificateResource['status']): boolean {
  return Object.keys(status ?? {}).every((field) => field === 'conditions');
}
