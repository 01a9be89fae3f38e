import { renewBeforeMs } from '../../api/tinycert/certificate-spec.ts';
import { parseDuration } from '../../lib/duration.ts';
import { shares } from '../../lib/hash.ts';
import { Schedule } from '../../lib/schedule.ts';
import { type CertificateResource, earliest, expiryOf } from '../certificate-kind.ts';
import { type RenewalWish, leastAge, spreadRenewalTime } from './time.ts';
import { type RenewalWindow, windowedTime } from './windows.ts';

/** When a certificate is renewed by itself. */
export interface RenewalPlan {
  /** Milliseconds since the epoch, a whole second; it is due from then on. */
  at: number;
  /** Whether that is outside of the windows it should come in, for want of one in time. */
  isOutside: boolean;
}

/** What a plan is made from. */
export interface Renewable extends Pick<CertificateResource, 'metadata' | 'spec'> {
  status?: NonNullable<CertificateResource['status']> & {
    certificateId?: number;
    certificateStatus?: string;
    attempt?: Issued & { startTime: string };
  };
}

/** What tells one certificate of a resource from the next: TinyCert's id where there is one. */
interface Issued {
  certificateId?: number;
  serialNumber?: string;
}

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
 * When this operator bought the certificate, by its own clock. A clock that is months ahead of the CA's finds every new
 * certificate due at once; a start that lies ahead was written by such a clock, and counts for nothing.
 */
function boughtAt(status: NonNullable<Renewable['status']>, now: number): number {
  const { attempt } = status;
  if (!attempt || idOf(attempt) !== idOf(status)) return -Infinity;
  const start = Date.parse(attempt.startTime);
  return start <= now ? start : -Infinity;
}

function idOf({ certificateId, serialNumber }: Issued): number | string | undefined {
  return certificateId ?? serialNumber;
}

/** When the present certificate is to be renewed, in milliseconds since the epoch; undefined if it never is. */
export function dueAt({ certificate, now }: At): number | undefined {
  return renewalPlan(certificate, now)?.at;
}

/** When to look at a certificate again that needs nothing now: at its renewal or its end. */
export function lookAgainAt({ certificate, now }: At): number | undefined {
  const due = dueAt({ certificate, now });
  const end = expiryOf(certificate);
  return earliest(due, end !== undefined && end > now ? end : undefined);
}

interface At {
  certificate: Renewable;
  now: number;
}
