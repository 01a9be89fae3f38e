import type { ReconcileResult } from '../kube/controller.ts';
import { CRDS_AGAIN_MS, CrdsOutdated } from './outdated-crds.ts';
import type { CertificateResource } from './resource.ts';
import type { StatusWriter } from './status-writer.ts';

interface Deps<T extends CertificateResource> {
  /** `doubt` is for a write that shows that the CRDs do not know all that has to be written. */
  crds: { doubt: () => void };
  statuses: StatusWriter<T>;
}

/**
 * Works on a resource as it is read. One that the API server accepted and the operator cannot read waits for its spec to
 * change; where a write shows that the CRDs are older than the operator, newer ones are waited for. Either is said.
 */
export async function readable<T extends CertificateResource>(
  { crds, statuses }: Deps<T>,
  certificate: T,
  parsed: { ok: true; object: T } | { ok: false; message: string },
  signal: AbortSignal,
  work: (certificate: T) => Promise<ReconcileResult>,
): Promise<ReconcileResult> {
  try {
    if (parsed.ok) return await work(parsed.object);
    const message = `The spec cannot be used: ${parsed.message}`;
    await statuses.writeNotReady(certificate, { reason: 'InvalidSpec', message }, signal);
    return {};
  } catch (error) {
    if (!(error instanceof CrdsOutdated)) throw error;
    crds.doubt();
    const { code: reason, message } = error;
    await statuses.writeNotReady(certificate, { reason, message }, signal);
    return { requeueAfterMs: CRDS_AGAIN_MS };
  }
}
