/** A certificate that begins this much later than our clock says is published all the same: clocks differ. */
export const MAX_CLOCK_SKEW_MS = 5 * 60_000;
