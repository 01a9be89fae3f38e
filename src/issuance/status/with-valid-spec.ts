import type { ReconcileResult } from '../../kube/controller/controller.ts';
import type { CertificateResource } from '../certificate-kind.ts';
import type { Warn } from './events.ts';
import { CRDS_AGAIN_MS, CrdsOutdated, StatusRefused } from './outdated-crds.ts';
import type { StatusWriter } from './writer.ts';

interface Deps<T extends CertificateResource> {
  warn: Warn;
  statuses: StatusWriter<T>;
}

/**
 * Works on a resource as it is read. One that the API server accepted and the operator cannot read waits for its spec to
 * change; under CRDs that are older than the operator newer ones are waited for. Either is said. A status that the API
 * server refuses can only be told of by an event, and is tried again later and later.
 */
export async function withValidSpec<T extends CertificateResource>(
  { warn, statuses }: Deps<T>,
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
    if (error instanceof StatusRefused) warn(certificate, error.code, error.message);
    if (!(error instanceof CrdsOutdated)) throw error;
    const { code: reason, message } = error;
    await statuses.writeNotReady(certificate, { reason, message }, signal);
    return { requeueAfterMs: CRDS_AGAIN_MS };
  }
}
