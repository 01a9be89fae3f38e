/** What the spec requests; without the first two, renewal comes in the last third of the lifetime. */
export interface RenewalWish {
  /** Milliseconds before expiry. */
  renewBefore?: number | undefined;
  /** Percent of the lifetime before expiry, 1 to 99. */
  renewBeforePercentage?: number | undefined;
  /** How much earlier a renewal may come, in percent of the time between renewal and expiry; `JITTER_PERCENT` unless given. */
  jitterPercent?: number | undefined;
}

/** The default jitter. */
export const JITTER_PERCENT = 10;

/** The largest share of the lifetime that `renewBefore` may be, which is also the largest percentage. */
const MOST_OF_LIFETIME = 0.99;

/** Certificates and status have whole seconds. */
const SECOND = 1000;

/**
 * When to renew, in milliseconds since the epoch. Counted from the dates in the certificate, never from a requested
 * lifetime, since the CA decides it. A `renewBefore` that leaves less than a hundredth of the lifetime counts as absent,
 * because the operator would renew without end.
 */
export function renewalTime(notBefore: number, notAfter: number, wish: RenewalWish = {}): number {
  const lifetime = notAfter - notBefore;
  const { renewBefore, renewBeforePercentage } = wish;
  let before = lifetime / 3;
  if (renewBeforePercentage !== undefined) before = (lifetime * renewBeforePercentage) / 100;
  else if (renewBefore !== undefined && renewBefore <= lifetime * MOST_OF_LIFETIME) before = renewBefore;
  return Math.max(Math.floor((notAfter - before) / SECOND) * SECOND, notBefore + SECOND);
}

/**
 * When to renew one certificate of many: earlier by `share`, its own place from 0 to 1, of the jitter, which is
 * `jitterPercent` of the time between renewal and expiry. Never before its minimum age.
 */
export function spreadRenewalTime(
  notBefore: number,
  notAfter: number,
  wish: RenewalWish,
  share: number,
): number {
  const time = renewalTime(notBefore, notAfter, wish);
  const asked = ((notAfter - time) * (wish.jitterPercent ?? JITTER_PERCENT)) / 100;
  const spread = Math.min(asked, leastAge(notBefore, notAfter, wish));
  return Math.ceil((time - share * spread) / SECOND) * SECOND;
}

/**
 * The minimum age of a certificate at its renewal, in milliseconds: half of the time from its beginning to its renewal
 * time. It bounds how fast renewals can follow each other, whatever jitter, windows and disagreeing clocks do.
 */
export function leastAge(notBefore: number, notAfter: number, wish: RenewalWish): number {
  return (renewalTime(notBefore, notAfter, wish) - notBefore) / 2;
}
