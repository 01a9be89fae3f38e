import { Counter, Histogram, type Registry } from 'prom-client';

/** Calls to a CA. `call` is the path of the call, `code` the HTTP status or the code of the error. */
export interface CallMetrics {
  readonly requests: Counter<'call' | 'code'>;
  readonly duration: Histogram<'call'>;
}

/** Registers the metrics of one CA's client. `prefix` begins their names; `name` is the CA's name in the help texts. */
export function createCallMetrics(
  registry: Registry,
  { prefix, name, buckets }: { prefix: string; name: string; buckets: number[] },
): CallMetrics {
  const registers = [registry];
  return {
    requests: new Counter({
      name: `${prefix}_client_requests_total`,
      help: `Calls to ${name}, by call and HTTP status or error code.`,
      labelNames: ['call', 'code'],
      registers,
    }),
    duration: new Histogram({
      name: `${prefix}_client_request_duration_seconds`,
      help: `Seconds that a call to ${name} took.`,
      labelNames: ['call'],
      buckets,
      registers,
    }),
  };
}
