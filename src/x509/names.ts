import { formatIp, parseIp } from './ip.ts';

/** The names of a certificate in normal form, each list in the order given and without duplicates. */
export interface Names {
  /** The common name of the subject; '' where a certificate has none. */
  commonName: string;
  dns: string[];
  ip: string[];
  uri: string[];
  email: string[];
  /** Alternative names of kinds that nobody can ask for, as hexadecimal DER; only certificates read have them. */
  other?: string[];
}

/**
 * What a DNS name in a certificate looks like: ASCII labels of at most 63 characters, `*` only as the whole leftmost
 * label. One text for JavaScript and for the RE2 of the CRDs.
 */
export const DNS_NAME =
  '^([*][.])?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?[.])*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$';

const dnsName = new RegExp(DNS_NAME);

/** Lower case, without the trailing dot. */
export function normalDns(name: string): string {
  return withoutTrailingDot(name).toLowerCase();
}

/** IPv6 as RFC 5952 has it, IPv4 dotted; what is no address stays as it is. */
export function normalIp(text: string): string {
  const bytes = parseIp(text);
  return (bytes && formatIp(bytes)) ?? text;
}

/** The domain in lower case; the part before the @ keeps its case (RFC 5321 section 2.4). */
export function normalEmail(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? address : `${address.slice(0, at)}@${normalDns(address.slice(at + 1))}`;
}

/**
 * Whether a common name is a host name, and so belongs into the SANs: a DNS name that has a dot or is all lower case.
 * `Alice` is a person, `alice` a host.
 */
export function isHostName(name: string): boolean {
  return (
    name.length <= 253 &&
    dnsName.test(name) &&
    (name.includes('.') || name === name.toLowerCase()) &&
    parseIp(name) === undefined
  );
}

/** A host name or IP address in normal form; any other common name as it is. */
export function normalCommonName(name: string): string {
  if (parseIp(name)) return normalIp(name);
  const bare = withoutTrailingDot(name);
  return isHostName(bare === name || bare.includes('.') ? bare : name) ? bare.toLowerCase() : name;
}

/** All names in normal form, each list without duplicates. Applying it twice changes nothing. */
export function normalNames(names: Names): Names {
  return {
    commonName: normalCommonName(names.commonName),
    dns: distinct(names.dns.map(normalDns)),
    ip: distinct(names.ip.map(normalIp)),
    uri: distinct(names.uri),
    email: distinct(names.email.map(normalEmail)),
    ...(names.other === undefined ? {} : { other: distinct(names.other) }),
  };
}

/** Whether two sets of names, both in normal form, ask for the same; order and duplicates do not matter. */
export function sameNames(a: Names, b: Names): boolean {
  return (
    a.commonName === b.commonName &&
    sameSet(a.dns, b.dns) &&
    sameSet(a.ip, b.ip) &&
    sameSet(a.uri, b.uri) &&
    sameSet(a.email, b.email) &&
    sameSet(a.other ?? [], b.other ?? [])
  );
}

/** Only a single dot goes: `a..` is no name, and stays one that nobody takes for `a`. */
function withoutTrailingDot(name: string): string {
  return name.endsWith('.') && !name.endsWith('..') ? name.slice(0, -1) : name;
}

function distinct(list: readonly string[]): string[] {
  return [...new Set(list)];
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const left = new Set(a);
  const right = new Set(b);
  return left.size === right.size && [...left].every((name) => right.has(name));
}
