/** An account's login. The web-site password is a different thing and is not used by the API. */
export interface TinyCertCredentials {
  email: string;
  /** The passphrase that encrypts the account's private keys. Sent in `connect` only. */
  passphrase: string;
  /** The key that signs requests. Never sent. */
  apiKey: string;
}

/** What decides which session a client may use: see `createTinyCertSession`. */
export interface TinyCertAccountOptions {
  /** Base URL of the API; the public service unless given. */
  endpoint?: string | undefined;
  credentials: TinyCertCredentials;
  /** PEM bundle of the authorities trusted for the endpoint, in place of the system's. */
  ca?: string | undefined;
}
