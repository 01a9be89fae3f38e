/** What a certificate's owner asked for; both absent means the last third of the lifetime. */
export interface RenewalWish {
  /** Milliseconds before the end. */
  renewBefore?: number | undefined;
  /** Percent of the lifetime before the end, 1 to 99. */
  renewBeforePercentage?: number | undefined;
  /** How much earlier a renewal may come: percent of the time between renewal and expiry; 10 unless given. */
  jitterPercent?: number | undefined;
}

/** The share that renewals are spread over unless a spec says otherwise. */
export const JITTER_PERCENT = 10;

/** The most of a lifetime that `renewBefore` may ask for; the most that a percentage can ask for too. */
const MOST_OF_LIFETIME = 0.99;

/** Certificates and status hold whole seconds. */
const SECOND = 1000;

/**
 * When to renew, in milliseconds since the epoch. Counted from the dates in the certificate, never from what was asked
 * for: a CA gives what it gives. A `renewBefore` that does not fit into the lifetime, or leaves less than a hundredth of
 * it, counts as absent, since it would mean to renew for ever.
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
 * When one certificate of many is renewed: up to `jitterPercent` of what is left at the time of renewal earlier, by
 * `share`, its own place from 0 to 1. It is kept for its least age, however much is asked for.
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
 * How long a certificate is kept at least, in milliseconds: half of the time from its begin to its time of renewal.
 * Neither jitter nor a window nor clocks that disagree make renewals follow each other faster.
 */
export function leastAge(notBefore: number, notAfter: number, wish: RenewalWish): number {
  return (renewalTime(notBefore, notAfter, wish) - notBefore) / 2;
}
