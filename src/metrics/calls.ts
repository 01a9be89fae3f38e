import { Counter, Histogram, type Registry } from 'prom-client';

/** Calls to a CA. `call` is the endpoint's path, `code` the HTTP status or the error's code. */
export interface CallMetrics {
  readonly requests: Counter<'call' | 'code'>;
  readonly duration: Histogram<'call'>;
}

/** Registers the metrics of one CA's client; `prefix` begins their names, `name` is what people call the CA. */
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
      help: `Seconds a call to ${name} took.`,
      labelNames: ['call'],
      buckets,
      registers,
    }),
  };
}
