import type { Clock } from '../../lib/clock.ts';
import type { CertificateResource } from '../certificate-kind.ts';
import type { WantedCondition } from './conditions.ts';
import type { StatusWriter } from './writer.ts';

/** How long a CA may take before the conditions say that it was asked, in milliseconds. */
export const SHOW_AFTER_MS = 3_000;

/**
 * Shows in the conditions that a certificate is being obtained, if that takes longer than a moment. Returns the function that ends
 * this and resolves with the newest version of the resource. What cannot be shown does no harm.
 */
export function showLater<T extends CertificateResource>(
  { clock, statuses }: { clock: Clock; statuses: Pick<StatusWriter<T>, 'writeNews'> },
  certificate: T,
  conditions: () => WantedCondition[],
  signal: AbortSignal,
): () => Promise<T> {
  let writing: Promise<T> = Promise.resolve(certificate);
  const cancel = clock.timer(SHOW_AFTER_MS, () => {
    writing = statuses.writeNews({ certificate, conditions: conditions(), signal }).catch(() => certificate);
  });
  return () => {
    cancel();
    return writing;
  };
}
