import type { TinyCertCertificate } from '../../api/kinds.ts';
import { type Parsed, parseCertificate } from '../../api/parse.ts';
import { readableCertificate } from '../../api/readable.ts';
import type { Warn } from '../../issuance/status/events.ts';

/**
 * Reads a deleted certificate. One whose spec cannot be used is finalized by what can be read of it, so that no field can
 * block the deletion; an event names the fields that count as absent.
 */
export function readDeleted(
  { warn }: { warn: Warn },
  certificate: TinyCertCertificate,
): Parsed<TinyCertCertificate> {
  const parsed = parseCertificate(certificate);
  if (parsed.ok) return parsed;
  const { object, unreadable } = readableCertificate(certificate);
  const absent =
    unreadable.length === 0
      ? 'Everything that the deletion depends on can be read.'
      : `These fields cannot be read and count as absent: ${unreadable.join(', ')}.`;
  const message = `The spec cannot be used: ${parsed.message}. The resource is deleted all the same. ${absent}`;
  warn(certificate, 'InvalidSpec', message);
  return { ok: true, object };
}
