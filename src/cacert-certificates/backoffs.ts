/** The waits and limits that are specific to CAcert certificates. All waits are in milliseconds. */

/** After a step whose effect the next reconcile decides on: long enough for the watch to deliver it. */
export const DECIDE_AGAIN_MS = 200;

/**
 * The shortest wait after an attempt with an unknown outcome. A late certificate arrives within minutes, if at all, and
 * asking again before that would buy a second one.
 */
export const UNCERTAIN_WAIT_MS = 900_000;

/** How often to check a kept certificate whose validity has not begun. */
export const NOT_YET_VALID_CHECK_MS = 60_000;

/** The most calls for one resource within `ATTEMPT_PERIOD_MS`: each accepted call is a certificate that no call can revoke. */
export const MAX_ATTEMPTS_PER_PERIOD = 6;
export const ATTEMPT_PERIOD_MS = 86_400_000;
