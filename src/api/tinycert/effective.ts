import { createHash } from 'node:crypto';
import { type Names, isHostName, normalNames } from '../../x509/names.ts';
import { parseIp } from '../../x509/ip.ts';
import { type CertificateSpec, derivedCommonName } from './certificate-spec.ts';
import type { Subject } from './subject.ts';

/** The fields of a spec that name what the certificate is for. */
export type NamesSpec = Pick<
  CertificateSpec,
  'commonName' | 'dnsNames' | 'ipAddresses' | 'uris' | 'emailAddresses'
>;

/**
 * The names that a spec asks for, in normal form and in the spec's order. The common name is `commonName`, else the first
 * name that fits. A common name that is a host name or an IP address is also an alternative name: TinyCert does not copy
 * it there, and clients check nothing else.
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
 * Hash of the names and subject that a spec requests from TinyCert. Order, case, duplicates and other spellings of the
 * same name do not change it. Neither does a field that a later version adds, unless the spec uses it. A new order that
 * makes another name the common name does change it, since that requests another certificate.
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
 * The subject fields for a request: each from the spec, else from the issuer's defaults. Country and organization, which
 * TinyCert requires, fall back to the authority's.
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
