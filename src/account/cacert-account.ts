import type { CAcertClient, CAcertCredentials } from '../cacert/index.ts';
import type { Gate } from './gate/gate.ts';

/** Everything that identifies a CAcert account and the way to reach it. */
export interface CAcertConnection {
  endpoint: string;
  /** PEM bundle trusted for this endpoint in addition to the system's roots. */
  ca: string;
  credentials: CAcertCredentials;
  allowLoopbackHttp: boolean;
}

/** One CAcert login and what all its users share. */
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
