import { CHECK_AFTER_REFUSAL } from '../../src/account/check.ts';
import { CHECK_AFTER_ISSUING_FAULTS, ISSUING_FAULT_JITTER } from '../../src/account/gate/breaker.ts';
import { FIRST_FAULT_DELAY_MS, FREE_FAULTS, MAX_FAULT_DELAY_MS } from '../../src/account/gate/parking.ts';
import { MAX_PAUSE_MS } from '../../src/account/gate/rate-limit-pause.ts';
import { UNCERTAIN_WAIT_MS } from '../../src/cacert-certificates/backoffs.ts';
import { RETRY_BACKOFF } from '../../src/issuance/attempt/retry-backoff.ts';
import { type BackoffOptions, backoffDelay } from '../../src/lib/backoff.ts';
import { RELEASE_AFTER_MS } from '../../src/tinycert-certificates/deletion/ca-access.ts';
import { CHECK_INTERVAL } from '../../src/tinycert-issuers/work.ts';
import { UNCLAIMED_WAIT_MS } from './operator.ts';
import type { World } from './world.ts';

/** Everything that is shorter than a minute each, and the rounding of times. */
const SMALL_WAITS_MS = 5 * 60_000;

/**
 * How long anything may still wait once the CAs are well, in milliseconds: the waits of docs/guarantees.md, section 5, one after
 * the other, each as long as the faults of this sequence can have made it.
 */
export function settlesWithin({ cas, cacert }: World): number {
  const all = [...cas.flatMap(({ calls }) => calls), ...(cacert?.ca.calls ?? [])];
  const faults = all.filter((call) => call.fate !== undefined).length;
  const refused = all.filter(({ refusal }) => refusal !== undefined).length;
  const parked = faults > FREE_FAULTS ? FIRST_FAULT_DELAY_MS * 2 ** (faults - FREE_FAULTS) : 0;
  return (
    longest(RETRY_BACKOFF, faults + 1) +
    Math.min(parked, MAX_FAULT_DELAY_MS) +
    (refused > 0 ? longest(CHECK_AFTER_REFUSAL, refused) : 0) +
    Math.max(...CHECK_AFTER_ISSUING_FAULTS) * (1 + ISSUING_FAULT_JITTER) +
    MAX_PAUSE_MS +
    longest(CHECK_INTERVAL, 1) +
    (cacert ? UNCERTAIN_WAIT_MS : 0) +
    RELEASE_AFTER_MS +
    UNCLAIMED_WAIT_MS +
    SMALL_WAITS_MS
  );
}

/** The longest delay after so many failures. */
function longest(backoff: BackoffOptions, failures: number): number {
  return backoffDelay(backoff, failures, () => 1);
}
