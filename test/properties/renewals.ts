import type { Certificate } from '../../tools/dev-server/state/store.ts';
import type { MemoryCa } from './ca.ts';
import type { World } from './world.ts';

/** No certificate is renewed before half of its time to renewal has passed, which is two thirds of its lifetime. */
const LEAST_AGE = 1 / 3;
/** It is renewed when this share of its lifetime is left. */
const RENEWED_AT = 1 / 3;
/** A renewal that is due has begun and ended within this time, in milliseconds, once all is quiet. */
const RENEWING_MS = 5 * 60_000;

type Dates = Pick<Certificate, 'notBefore' | 'notAfter'>;

/** How many of these certificates may have been bought to renew an earlier one of them. Each is renewed once. */
export function renewalsAmong(certificates: readonly Certificate[]): number {
  const replaced = new Set<number>();
  let renewals = 0;
  for (const each of certificates) {
    if (each.previousId !== undefined) continue;
    const before = certificates.find(
      (one) => one.id < each.id && !replaced.has(one.id) && isOldEnough(one, each),
    );
    if (!before) continue;
    replaced.add(before.id);
    renewals += 1;
  }
  return renewals;
}

/** Reissues that came too early, in a sentence each. */
export function reissuedTooEarly({ replays }: World, ca: MemoryCa): string[] {
  // A tenant that puts back an earlier status puts back what was due then.
  if (replays.length > 0) return [];
  return ca.certificates.flatMap((each) => {
    const before = ca.certificates.find(({ id }) => id === each.previousId);
    if (!before || isOldEnough(before, each)) return [];
    return [
      `${ca.name} ${before.id} was reissued ${each.notBefore - before.notBefore} s after its beginning`,
    ];
  });
}

/** Whether a certificate should have been renewed by now; `now` is in milliseconds. */
export function isOverdue({ notBefore, notAfter }: Dates, now: number): boolean {
  const due = notAfter - (notAfter - notBefore) * RENEWED_AT;
  return now > due * 1_000 + RENEWING_MS;
}

function isOldEnough(one: Dates, next: Dates): boolean {
  // Whole seconds.
  return next.notBefore - one.notBefore + 1 >= (one.notAfter - one.notBefore) * LEAST_AGE;
}
