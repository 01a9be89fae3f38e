import type { CallMetrics } from '../metrics/calls.ts';
import type { FinishedRequest } from '../http/types.ts';

/** Counts and times a client's requests, logins included. Pass the result as `onRequest`. */
export function measure(metrics: CallMetrics): (request: FinishedRequest) => void {
  return ({ call, code, milliseconds }) => {
    metrics.requests.inc({ call, code });
    metrics.duration.observe({ call }, milliseconds / 1000);
  };
}
