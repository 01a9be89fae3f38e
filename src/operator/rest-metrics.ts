import type { TransportMetrics } from '../kube/transport/transport.ts';
import type { RestMetrics } from '../metrics/registry.ts';

/** Counts requests to the API server with client-go's metric name and labels. */
export function restMetrics({ requests }: RestMetrics, server: string): TransportMetrics {
  const host = URL.parse(server)?.host ?? server;
  return {
    request: ({ method, status, reason }) => {
      requests.inc({ method, host, code: status === 0 ? `<${reason ?? 'error'}>` : String(status) });
    },
  };
}
