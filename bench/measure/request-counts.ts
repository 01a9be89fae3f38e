import { samplesOf } from './prometheus.ts';

/** What was asked of an API server since its start, Leases and its own housekeeping left out. */
export interface RequestCounts {
  /** Writes that were carried out. */
  writes: number;
  /** GET and LIST, whatever the answer: looking for something that is not there costs as much. */
  reads: number;
  /** Writes refused with 409: a stale resourceVersion, or a name that is taken. */
  conflicts: number;
  /** Writes refused for any other reason, and requests that failed. */
  failures: number;
}

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE', 'DELETECOLLECTION']);
const READS = new Set(['GET', 'LIST']);

/**
 * The API server's own requests, over its loopback connection, count there too: once it has started it renews a Lease and keeps its
 * priority levels. Nothing else was seen in a minute of rest. The operator's Lease is no cost of a certificate either.
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

/** What happened between two counts. */
export function since(before: RequestCounts, after: RequestCounts): RequestCounts {
  return {
    writes: after.writes - before.writes,
    reads: after.reads - before.reads,
    conflicts: after.conflicts - before.conflicts,
    failures: after.failures - before.failures,
  };
}
