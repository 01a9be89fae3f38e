import type { Clock } from '../lib/clock.ts';

/** Options that every client has. */
export interface ClientOptions {
  /** Base URL of the API; the public service unless given. */
  endpoint?: string | undefined;
  /** PEM bundle of the authorities trusted for the endpoint, in place of the system's. */
  ca?: string | undefined;
  /** Allows `http:` for an endpoint on this machine, as a development server has. */
  allowLoopbackHttp?: boolean | undefined;
  /** Source of time; the system's unless given. */
  clock?: Clock | undefined;
  userAgent?: string | undefined;
  /** Connections to the endpoint at most; 16 unless given. */
  connections?: number | undefined;
  /** Where `HTTPS_PROXY` and `NO_PROXY` are read from; the process environment unless given. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Told of each request once it is over, logins and repetitions included. For metrics. */
  onRequest?: ((request: FinishedRequest) => void) | undefined;
}

/** One request that is over. */
export interface FinishedRequest {
  /** The path below the endpoint, as in `cert/new`. */
  call: string;
  /** `200`, or the code of the error; `NotSent` if the caller's `beforeSend` refused it. */
  code: string;
  /** From queueing to the last byte. */
  milliseconds: number;
}

export interface WaitOptions {
  /** Gives the call up; it then fails with `Aborted`. */
  signal?: AbortSignal | undefined;
  /** Milliseconds this call may take in all, from queueing to the last byte; the client's default unless given. */
  deadlineMs?: number | undefined;
}

export interface CallOptions extends WaitOptions {
  /**
   * Called in the same tick in which the first byte of the request is handed to the socket, after any queueing,
   * connecting and logging in; once more if the request is repeated after a new login. If it throws, no byte leaves
   * and the call fails with that very error.
   */
  beforeSend?: (() => void) | undefined;
}
