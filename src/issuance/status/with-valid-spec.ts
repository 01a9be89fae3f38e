import type { ReconcileContext, ReconcileResult } from '../../kube/controller/controller.ts';
import type { CertificateResource } from '../certificate-kind.ts';
import type { Warn } from './events.ts';
import { CRDS_AGAIN_MS, CrdsOutdated } from './outdated-crds.ts';
import { warnOfRefusal } from './refused-status.ts';
import type { StatusWriter } from './writer.ts';

interface Deps<T extends CertificateResource> {
  warn: Warn;
  statuses: Pick<StatusWriter<T>, 'writeNotReady'>;
}

/**
 * Runs `work` on a resource with a valid spec. A spec that the API server accepted and the operator cannot parse waits for a
 * change, and outdated CRDs are checked again after `CRDS_AGAIN_MS`; Ready reports either. If the API server refuses the
 * status, an event is the only way to report it; the error then leads to retries with backoff.
 */
export async function withValidSpec<T extends CertificateResource>(
  { warn, statuses }: Deps<T>,
  certificate: T,
  parsed: { ok: true; object: T } | { ok: false; message: string },
  { signal, failures }: Pick<ReconcileContext, 'signal' | 'failures'>,
  work: (certificate: T) => Promise<ReconcileResult>,
): Promise<ReconcileResult> {
  try {
    if (parsed.ok) return await work(parsed.object);
    const message = `The spec cannot be used: ${parsed.message}`;
    await statuses.writeNotReady(certificate, { reason: 'InvalidSpec', message }, signal);
    return {};
  } catch (error) {
    warnOfRefusal(warn, certificate, error, failures);
    if (!(error instanceof CrdsOutdated)) throw error;
    const { code: reason, message } = error;
    await statuses.writeNotReady(certificate, { reason, message }, signal);
    return { requeueAfterMs: CRDS_AGAIN_MS };
  }
}
