import type { TinyCertMetrics } from '../metrics/registry.ts';
import type { FinishedRequest } from '../tinycert/index.ts';

/** Counts and times a client's requests, logins included: give it as `onRequest`. */
export function measure(metrics: TinyCertMetrics): (request: FinishedRequest) => void {
  return ({ call, code, milliseconds }) => {
    metrics.requests.inc({ call, code });
    metrics.duration.observe({ call }, milliseconds / 1000);
  };
}
