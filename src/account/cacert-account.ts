import type { CAcertClient, CAcertCredentials } from '../cacert/index.ts';
import type { Gate } from './gate/gate.ts';

/** All that decides which CAcert account is meant and how it is reached. */
export interface CAcertConnection {
  endpoint: string;
  /** PEM bundle that is trusted for this endpoint beside the system's roots. */
  ca: string;
  credentials: CAcertCredentials;
  allowLoopbackHttp: boolean;
}

/** One CAcert login, with what everybody who uses it shares. */
export class CAcertLogin {
  readonly client: CAcertClient;
  readonly gate: Gate;

  constructor(client: CAcertClient, gate: Gate) {
    this.client = client;
    this.gate = gate;
  }

  /** Closes the connections. */
  close(): Promise<void> {
    return this.client.close();
  }
}
