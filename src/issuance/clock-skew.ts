/** How far clocks may disagree. A certificate that begins this much in the future is still published. */
export const MAX_CLOCK_SKEW_MS = 5 * 60_000;
