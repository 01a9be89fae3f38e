import type { ReconcileContext, ReconcileResult } from '../../kube/controller/controller.ts';
import { type CertificateResource, earliest, expiryOf } from '../certificate-kind.ts';

declare const hasEnd: unique symbol;

/**
 * The result of a reconcile of a certificate: the next one comes no later than its end, when Ready stops being true by itself.
 * Only `withEnd` makes one, so no path through a controller can lose that time.
 */
export type CertificateResult = ReconcileResult & { readonly [hasEnd]: true };

/** Reconciles the certificate with this key; resolves with undefined if there is nothing to reconcile any more. */
export type ReconcileCertificate = (
  key: string,
  context: ReconcileContext,
) => Promise<CertificateResult | undefined>;

/** Adds the end of the certificate to a result. `certificate`: as it is after the reconcile; `now`: by the wall clock. */
export function withEnd(
  certificate: Pick<CertificateResource, 'status'>,
  { requeueAfterMs, requeueAt }: ReconcileResult,
  now: number,
): CertificateResult {
  const end = expiryOf(certificate);
  const next = earliest(requeueAt, end !== undefined && end > now ? end : undefined);
  return {
    ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }),
    ...(next === undefined ? {} : { requeueAt: next }),
  } as CertificateResult;
}
