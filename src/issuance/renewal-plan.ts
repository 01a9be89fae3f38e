import { renewBeforeMs } from '../api/certificate-spec.ts';
import type { TinyCertCertificate } from '../api/kinds.ts';
import { shares } from '../lib/hash.ts';
import { parseDuration } from '../lib/duration.ts';
import { Schedule } from '../lib/schedule.ts';
import { leastAge, type RenewalWish, spreadRenewalTime } from './renewal-time.ts';
import { type RenewalWindow, windowedTime } from './renewal-windows.ts';

/** When a certificate is renewed by itself. */
export interface RenewalPlan {
  /** Milliseconds since the epoch, a whole second; it is due from then on. */
  at: number;
  /** Whether that is outside of the windows it should come in, for want of one in time. */
  isOutside: boolean;
}

/** What a plan is made from. */
export type Renewable = Pick<TinyCertCertificate, 'metadata' | 'spec' | 'status'>;

/**
 * When the certificate in status is to be renewed; undefined if it never is: there is none, its renewal is disabled, or
 * somebody holds or has revoked it. The same resource and certificate give the same plan in every replica and after
 * every restart; a window that went by without a renewal moves it to the next. The spec must have been parsed.
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
  const [jitter, place] = shares(`${metadata.uid ?? ''}\n${status.certificateId ?? 0}`);
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
 * When this operator bought the certificate, by its own clock. A clock that is months ahead of the CA's finds every new
 * certificate due at once; a start that lies ahead was written by such a clock, and counts for nothing.
 */
function boughtAt({ attempt, certificateId }: NonNullable<Renewable['status']>, now: number): number {
  if (!attempt || attempt.certificateId !== certificateId) return -Infinity;
  const start = Date.parse(attempt.startTime);
  return start <= now ? start : -Infinity;
}
