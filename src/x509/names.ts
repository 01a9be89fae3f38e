import { formatIp, parseIp } from './ip.ts';

/** The names of a certificate in normal form. Each list keeps its order and has no duplicates. */
export interface Names {
  /** The common name of the subject; '' if a certificate has none. */
  commonName: string;
  dns: string[];
  ip: string[];
  uri: string[];
  email: string[];
  /** Alternative names of kinds that no spec can ask for, as DER in hexadecimal. Only set for names from a certificate. */
  other?: string[];
}

/**
 * Pattern of a DNS name in a certificate: ASCII labels of at most 63 characters, `*` only as the whole leftmost label.
 * Valid both in JavaScript and in RE2, which CEL uses.
 */
export const DNS_NAME =
  '^([*][.])?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?[.])*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$';

const dnsName = new RegExp(DNS_NAME);

/** A DNS name in lower case, without a trailing dot. */
export function normalDns(name: string): string {
  return withoutTrailingDot(name).toLowerCase();
}

/** An IP address in normal form: IPv6 as in RFC 5952, IPv4 dotted. Any other text stays as it is. */
export function normalIp(text: string): string {
  const bytes = parseIp(text);
  return (bytes && formatIp(bytes)) ?? text;
}

/** An e-mail address with its domain in lower case. The part before the @ keeps its case (RFC 5321 section 2.4). */
export function normalEmail(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? address : `${address.slice(0, at)}@${normalDns(address.slice(at + 1))}`;
}

/**
 * Whether a common name is a host name, and so belongs in the alternative names: a DNS name that has a dot or is all
 * lower case. `Alice` is a person, `alice` a host.
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

/** Whether two sets of names, both in normal form, are the same. Order and duplicates do not matter. */
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

/** Removes a single dot only: `a..` is not a name, and must not become `a`. */
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
