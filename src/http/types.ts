import type { Clock } from '../lib/clock.ts';

/** Options that every client has. */
export interface ClientOptions {
  /** Base URL of the API. Default: the public service. */
  endpoint?: string | undefined;
  /** PEM bundle of the authorities to trust for the endpoint instead of the system's. */
  ca?: string | undefined;
  /** Allows `http:` for an endpoint on this machine, such as a development server. */
  allowLoopbackHttp?: boolean | undefined;
  /** Source of time. Default: the system's clocks. */
  clock?: Clock | undefined;
  /** The `User-Agent` header, printable ASCII. Default: the name of the client. */
  userAgent?: string | undefined;
  /** The most connections to the endpoint. Default: 16. */
  connections?: number | undefined;
  /** Where to read `HTTPS_PROXY` and `NO_PROXY` from. Default: the process environment. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Called after each request, including logins and repetitions. For metrics. */
  onRequest?: ((request: FinishedRequest) => void) | undefined;
}

/** A finished request. */
export interface FinishedRequest {
  /** The path below the endpoint, such as `cert/new`. */
  call: string;
  /** `200` or the error code; `NotSent` if the caller's `beforeSend` threw. */
  code: string;
  /** Duration from queueing to the last byte. */
  milliseconds: number;
}

export interface WaitOptions {
  /** Aborts the call, which then fails with `Aborted`. */
  signal?: AbortSignal | undefined;
  /** The most milliseconds this call may take, from queueing to the last byte. Default: that of the client. */
  deadlineMs?: number | undefined;
}

export interface CallOptions extends WaitOptions {
  /**
   * Called after any queueing, connecting and logging in, in the same tick in which the first byte of the request is
   * handed to the socket. Called again if the request is repeated after a new login. If it throws, no byte leaves and
   * the call rejects with that same error.
   */
  beforeSend?: (() => void) | undefined;
}
