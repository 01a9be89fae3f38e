import { DerCursor, TAG } from './der.ts';
import { formatIp } from './ip.ts';

/** The entries of a subjectAltName, exactly as in the certificate. */
export interface GeneralNames {
  dns: string[];
  ip: string[];
  uri: string[];
  email: string[];
  /** Entries of other kinds, and IP addresses of unknown length, as DER in hexadecimal. */
  other: string[];
}

/** Implicit tags of GeneralName (RFC 5280 section 4.2.1.6). */
const RFC822_NAME = 0x81;
const DNS_NAME = 0x82;
const URI = 0x86;
const IP_ADDRESS = 0x87;

/** Reads GeneralNames from the value of the extension. Throws `X509Error`. */
export function readGeneralNames(value: Buffer): GeneralNames {
  const names: GeneralNames = { dns: [], ip: [], uri: [], email: [], other: [] };
  const outer = new DerCursor(value);
  const entries = outer.enter(TAG.sequence);
  outer.finish();
  while (!entries.done) {
    const { tag, content, whole } = entries.any();
    const ip = tag === IP_ADDRESS ? formatIp(content) : undefined;
    if (tag === DNS_NAME) names.dns.push(content.toString('latin1'));
    else if (tag === URI) names.uri.push(content.toString('latin1'));
    else if (tag === RFC822_NAME) names.email.push(content.toString('latin1'));
    else if (ip !== undefined) names.ip.push(ip);
    else names.other.push(whole.toString('hex'));
  }
  return names;
}
