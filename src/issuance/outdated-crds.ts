import { ApiError } from '../kube/errors.ts';
import { AppError } from '../lib/errors.ts';

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

/** Rethrows the refusal of a strict write; one for a field that the CRD does not know as `CrdsOutdated`. */
export function asOutdated(error: unknown): never {
  if (
    error instanceof ApiError &&
    (error.status === 400 || error.status === 422) &&
    /unknown field/.test(error.message)
  ) {
    throw new CrdsOutdated({ cause: error });
  }
  throw error;
}
