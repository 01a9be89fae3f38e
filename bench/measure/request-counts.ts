import { samplesOf } from './prometheus.ts';

/** Requests to an API server since its start, without Leases and its own housekeeping. */
export interface RequestCounts {
  /** Writes that succeeded. */
  writes: number;
  /** GET and LIST, whatever the answer: reading an absent object costs as much. */
  reads: number;
  /** Writes refused with 409: a stale resourceVersion, or a name that is taken. */
  conflicts: number;
  /** Writes refused for any other reason, and requests that failed. */
  failures: number;
}

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE', 'DELETECOLLECTION']);
const READS = new Set(['GET', 'LIST']);

/**
 * The metric includes the API server's own requests over its loopback connection: it renews a Lease and maintains its priority
 * levels. An idle minute showed nothing else. The operator's Lease is no cost of a certificate either.
 */
const NOT_COUNTED = new Set(['coordination.k8s.io', 'flowcontrol.apiserver.k8s.io']);

/** Counts from the text of an API server's /metrics. */
export function requestCounts(metrics: string): RequestCounts {
  const counts: RequestCounts = { writes: 0, reads: 0, conflicts: 0, failures: 0 };
  for (const { labels, value } of samplesOf(metrics, 'apiserver_request_total')) {
    const { verb = '', resource = '', group = '', code = '' } = labels;
    if (resource === '' || NOT_COUNTED.has(group)) continue;
    if (READS.has(verb)) counts.reads += value;
    else if (!WRITES.has(verb)) continue;
    else if (code.startsWith('2')) counts.writes += value;
    else if (code === '409') counts.conflicts += value;
    else counts.failures += value;
  }
  return counts;
}

/** The requests between two counts. */
export function since(before: RequestCounts, after: RequestCounts): RequestCounts {
  return {
    writes: after.writes - before.writes,
    reads: after.reads - before.reads,
    conflicts: after.conflicts - before.conflicts,
    failures: after.failures - before.failures,
  };
}
