import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';

/** Creates the error for invalid options. `detail` says what is wrong and contains no value of an option. */
export type InvalidOptions = (detail: string) => Error;

/** The base URL of an API, checked. */
export interface Endpoint {
  readonly url: URL;
  /** Path of the base URL, with a trailing slash. */
  readonly basePath: string;
}

/**
 * Reads the base URL. It must be `https:`, because requests carry passwords and sessions, and a reply may carry a private
 * key. `http:` is accepted only for this machine and only if allowed.
 */
export function parseEndpoint(
  text: string,
  allowLoopbackHttp: boolean,
  invalidOptions: InvalidOptions,
): Endpoint {
  const url = URL.parse(text);
  if (!url) throw invalidOptions('endpoint is not a URL.');
  if (url.username || url.password) throw invalidOptions('endpoint must not hold a user name or password.');
  if (url.search || url.hash) throw invalidOptions('endpoint must not have a query or a fragment.');
  if (url.protocol === 'http:') {
    if (!allowLoopbackHttp || !isLoopback(url.hostname))
      throw invalidOptions(
        'endpoint must start with https://; http:// is for this machine only, if allowed.',
      );
  } else if (url.protocol !== 'https:') {
    throw invalidOptions('endpoint must start with https://.');
  }
  return { url, basePath: url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/` };
}

/** Whether the host name of a URL means this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** The authorities that are trusted if no bundle is given. */
export function systemAuthorities(): readonly string[] {
  return getCACertificates('default');
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Splits and checks a PEM bundle. Node would silently skip a block that it cannot read, and then no connection would work. */
export function parseCaBundle(
  text: string | undefined,
  invalidOptions: InvalidOptions,
): string[] | undefined {
  if (text === undefined) return undefined;
  const blocks = text.match(pemCertificate);
  if (!blocks) throw invalidOptions('ca holds no PEM certificate.');
  for (const [index, block] of blocks.entries()) {
    try {
      // Parsing is the check.
      void new X509Certificate(block);
    } catch {
      throw invalidOptions(`certificate ${index + 1} of ca cannot be read.`);
    }
  }
  return blocks;
}
