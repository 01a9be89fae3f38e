import { renewBeforeMs } from '../../api/tinycert/certificate-spec.ts';
import { parseDuration } from '../../lib/duration.ts';
import { shares } from '../../lib/hash.ts';
import { Schedule } from '../../lib/schedule.ts';
import { type CertificateResource, earliest, expiryOf } from '../certificate-kind.ts';
import { type RenewalWish, leastAge, spreadRenewalTime } from './time.ts';
import { type RenewalWindow, windowedTime } from './windows.ts';

/** When a certificate is renewed automatically. */
export interface RenewalPlan {
  /** Milliseconds since the epoch, a whole second. The renewal is due from then on. */
  at: number;
  /** Whether that is outside the renewal windows, because none opens in time. */
  isOutside: boolean;
}

/** A certificate resource, as far as its renewal depends on it. */
export interface Renewable extends Pick<CertificateResource, 'metadata' | 'spec'> {
  status?: NonNullable<CertificateResource['status']> & {
    certificateId?: number;
    certificateStatus?: string;
    attemptTime?: string;
  };
}

/**
 * When to renew the certificate in status. Undefined for never: there is none, renewal is disabled, or the certificate is on
 * hold or revoked. A resource and certificate have the same plan in every replica and after every restart, except that a
 * missed window moves the renewal to the next one. The spec must have been parsed.
 */
export function renewalPlan({ metadata, spec, status }: Renewable, now: number): RenewalPlan | undefined {
  if (status?.notBefore === undefined || status.notAfter === undefined) return undefined;
  if (spec.renewal?.policy === 'Disabled') return undefined;
  if (status.certificateStatus === 'hold' || status.certificateStatus === 'revoked') return undefined;
  const notBefore = Date.parse(status.notBefore);
  const notAfter = Date.parse(status.notAfter);
  const wish: RenewalWish = {
    renewBefore: renewBeforeMs(spec),
    renewBeforePercentage: spec.renewBeforePercentage,
    jitterPercent: spec.renewal?.jitterPercent,
  };
  const [jitter, place] = shares(`${metadata.uid ?? ''}\n${idOf(status) ?? 0}`);
  const rest = leastAge(notBefore, notAfter, wish);
  const due = Math.max(
    spreadRenewalTime(notBefore, notAfter, wish, jitter),
    Math.ceil((boughtAt(status, now) + rest) / 1000) * 1000,
  );
  const windows = windowsOf(spec);
  if (windows.length === 0) return { at: due, isOutside: false };
  return windowedTime({ windows, due, earliest: notBefore + rest, notAfter, now, share: place });
}

function windowsOf({ renewal }: Renewable['spec']): RenewalWindow[] {
  return (renewal?.windows ?? []).map(({ cron, timezone, windowDuration }) => ({
    schedule: Schedule.of(cron, timezone),
    durationMs: parseDuration(windowDuration),
  }));
}

/**
 * When this operator bought the certificate, by its own clock. If that clock is months ahead of the CA's, every new
 * certificate would be due at once. A start in the future comes from a clock that was set right since, so ignore it.
 */
function boughtAt({ attemptTime = '' }: NonNullable<Renewable['status']>, now: number): number {
  const start = Date.parse(attemptTime);
  return start <= now ? start : -Infinity;
}

/** What distinguishes one certificate of a resource from the next: its id, or its serial number at a CA without ids. */
function idOf({
  certificateId,
  serialNumber,
}: NonNullable<Renewable['status']>): number | string | undefined {
  return certificateId ?? serialNumber;
}

/** When to renew the certificate in status, in milliseconds since the epoch; undefined for never. */
export function dueAt({ certificate, now }: At): number | undefined {
  return renewalPlan(certificate, now)?.at;
}

/** When to reconcile a certificate that needs nothing now: at its renewal or its expiry. */
export function nextReconcileAt({ certificate, now }: At): number | undefined {
  const due = dueAt({ certificate, now });
  const end = expiryOf(certificate);
  return earliest(due, end !== undefined && end > now ? end : undefined);
}

interface At {
  certificate: Renewable;
  now: number;
}
