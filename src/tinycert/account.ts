/** The login of an account. The API does not use the password of the web site. */
export interface TinyCertCredentials {
  /** The e-mail address of the account. */
  email: string;
  /** The passphrase that encrypts the private keys of the account. It is sent in `connect` only. */
  passphrase: string;
  /** The key that signs requests. It is never sent. */
  apiKey: string;
}

/** The options that determine which session a client may use; see `createTinyCertSession`. */
export interface TinyCertAccountOptions {
  /** Base URL of the API. Default: the public service. */
  endpoint?: string | undefined;
  credentials: TinyCertCredentials;
  /** PEM bundle of the authorities to trust for the endpoint instead of the system's. */
  ca?: string | undefined;
}
