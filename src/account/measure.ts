import type { Clock } from '../lib/clock.ts';
import type { TinyCertMetrics } from '../metrics/registry.ts';
import { type TinyCertClient, TinyCertError } from '../tinycert/index.ts';

/** The path of each method's call, as the API names it. */
const calls: Partial<Record<keyof TinyCertClient, string>> = {
  connect: 'connect',
  disconnect: 'disconnect',
  listAuthorities: 'ca/list',
  getAuthority: 'ca/details',
  getAuthorityCertificate: 'ca/get',
  createAuthority: 'ca/new',
  deleteAuthority: 'ca/delete',
  listCertificates: 'cert/list',
  streamCertificates: 'cert/list',
  getCertificateDetails: 'cert/details',
  getCertificate: 'cert/get',
  createCertificate: 'cert/new',
  reissueCertificate: 'cert/reissue',
  setCertificateStatus: 'cert/status',
};

type Method = (...args: unknown[]) => Promise<unknown>;

/** The same client, counting and timing its calls. */
export function measure(client: TinyCertClient, clock: Clock, metrics: TinyCertMetrics): TinyCertClient {
  const wrapped: Record<string, Method> = {};
  for (const [name, call] of Object.entries(calls)) {
    const method = (client[name as keyof TinyCertClient] as Method).bind(client);
    wrapped[name] = async (...args) => {
      const started = clock.monotonic();
      let code = '200';
      try {
        return await method(...args);
      } catch (error) {
        code = error instanceof TinyCertError ? error.code : 'NotSent';
        throw error;
      } finally {
        metrics.requests.inc({ call, code });
        metrics.duration.observe({ call }, (clock.monotonic() - started) / 1000);
      }
    };
  }
  const rest = { clockOffset: client.clockOffset.bind(client), close: client.close.bind(client) };
  return { ...wrapped, ...rest } as unknown as TinyCertClient;
}
