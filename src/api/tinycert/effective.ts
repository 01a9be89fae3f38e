import { createHash } from 'node:crypto';
import { type Names, isHostName, normalNames } from '../../x509/names.ts';
import { parseIp } from '../../x509/ip.ts';
import { type CertificateSpec, derivedCommonName } from './certificate-spec.ts';
import type { Subject } from './subject.ts';

/** The fields of a spec that say which names are wanted. */
export type NamesSpec = Pick<
  CertificateSpec,
  'commonName' | 'dnsNames' | 'ipAddresses' | 'uris' | 'emailAddresses'
>;

/**
 * The names that a spec asks for, in normal form and in the spec's order. The common name is the one given, else the
 * first that fits; if it is a host name or an IP address it is among the alternative names, since TinyCert does not
 * copy it there and clients look nowhere else.
 */
export function effectiveNames(spec: NamesSpec): Names {
  const { dnsNames: dns = [], ipAddresses: ip = [], uris: uri = [], emailAddresses: email = [] } = spec;
  const given = normalNames({ commonName: spec.commonName ?? '', dns, ip, uri, email });
  const derived =
    spec.commonName === undefined ? derivedCommonName(given.dns, given.ip, given.email) : undefined;
  const names = derived === undefined ? given : { ...given, commonName: derived };
  if (parseIp(names.commonName)) return { ...names, ip: withFirst(names.ip, names.commonName) };
  if (isHostName(names.commonName)) return { ...names, dns: withFirst(names.dns, names.commonName) };
  return names;
}

/**
 * A hash of what a spec asks TinyCert for: names and subject. Order, case, duplicates and other spellings of the same
 * do not change it, and neither do fields that a later version adds and a spec does not use. A new order that makes
 * another name the common name does, since that asks for another certificate.
 */
export function specHash(spec: NamesSpec & Pick<CertificateSpec, 'subject'>): string {
  const { commonName, dns, ip, uri, email } = effectiveNames(spec);
  const { country, organization, organizationalUnit, locality, province } = spec.subject ?? {};
  const canonical = JSON.stringify({
    commonName,
    dns: dns.sort(),
    ip: ip.sort(),
    uri: uri.sort(),
    email: email.sort(),
    subject: { country, organization, organizationalUnit, locality, province },
  });
  return `v1:${createHash('sha256').update(canonical).digest('hex')}`;
}

/**
 * The subject fields for a request: each from the spec, else from the issuer's defaults; country and organization,
 * which TinyCert requires, else from the authority.
 */
export function effectiveSubject(
  spec: Subject | undefined,
  issuer: Subject | undefined,
  authority: { country?: string; organization?: string } | undefined,
): Subject {
  const { country, organization } = authority ?? {};
  return {
    ...(country ? { country } : {}),
    ...(organization ? { organization } : {}),
    ...issuer,
    ...spec,
  };
}

function withFirst(list: string[], name: string): string[] {
  return list.includes(name) ? list : [name, ...list];
}
