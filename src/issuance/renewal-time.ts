/** What a certificate's owner asked for; both absent means the last third of the lifetime. */
export interface RenewalWish {
  /** Milliseconds before the end. */
  renewBefore?: number | undefined;
  /** Percent of the lifetime before the end, 1 to 99. */
  renewBeforePercentage?: number | undefined;
}

/**
 * When to renew, in milliseconds since the epoch. Counted from the dates in the certificate, never from what was asked
 * for: a CA gives what it gives. A `renewBefore` that does not fit into the lifetime counts as absent, since it would
 * mean to renew for ever.
 */
export function renewalTime(notBefore: number, notAfter: number, wish: RenewalWish = {}): number {
  const lifetime = notAfter - notBefore;
  const { renewBefore, renewBeforePercentage } = wish;
  let before = lifetime / 3;
  if (renewBeforePercentage !== undefined) before = (lifetime * renewBeforePercentage) / 100;
  else if (renewBefore !== undefined && renewBefore < lifetime) before = renewBefore;
  return Math.floor((notAfter - before) / 1000) * 1000;
}
