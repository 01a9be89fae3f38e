import type { TinyCertCertificate } from '../../api/kinds.ts';
import { effectiveNames, effectiveSubject } from '../../api/tinycert/effective.ts';
import type { Subject } from '../../api/tinycert/subject.ts';
import { canonicalJson, sha256Hex } from '../../lib/hash.ts';
import type { CertificateDetails } from '../../tinycert/index.ts';
import { type Names, normalNames } from '../../x509/names.ts';
import type { AuthorityMaterial, ReadyIssuer } from './issuer-directory.ts';
import { markerOf } from './marker.ts';

/** A request to the CA: everything that distinguishes one certificate from another before it is issued. */
export interface Request {
  authorityId: number;
  names: Names;
  /** Without the common name, which is in `names`. */
  subject: Subject;
}

/** The request of a resource to an issuer. If the issuer marks its certificates, the marker is the organizational unit. */
export function requestOf(
  { spec, metadata: { uid = '' } }: Pick<TinyCertCertificate, 'spec' | 'metadata'>,
  { authority, subject, marksFor }: Pick<ReadyIssuer, 'authority' | 'subject' | 'marksFor'>,
  material: Pick<AuthorityMaterial, 'subject'>,
): Request {
  const plain = effectiveSubject(spec.subject, subject, material.subject);
  return {
    authorityId: authority.authorityId,
    names: effectiveNames(spec),
    subject: marksFor === undefined ? plain : { ...plain, organizationalUnit: markerOf(marksFor, uid) },
  };
}

/** A hash that is equal for equal requests, whatever the order of their names. An attempt records it. */
export function requestHash({ authorityId, names, subject }: Request): string {
  const { commonName, dns, ip, uri, email } = names;
  const sorted = (values: readonly string[]): string[] => [...new Set(values)].sort();
  const canonical = {
    authorityId,
    commonName,
    dns: sorted(dns),
    ip: sorted(ip),
    uri: sorted(uri),
    email: sorted(email),
    subject: Object.fromEntries(subjectFields.map((field) => [field, subject[field] || undefined])),
  };
  return `v1:${sha256Hex(canonicalJson(canonical))}`;
}

/** The same of the names alone, whatever the subject. */
export function namesHash({ authorityId, names }: Pick<Request, 'authorityId' | 'names'>): string {
  return requestHash({ authorityId, names, subject: {} });
}

const subjectFields = ['country', 'organization', 'organizationalUnit', 'locality', 'province'] as const;

/** The request that a certificate of the CA came from; undefined if it has names that no request can contain. */
export function askedFor(authorityId: number, details: CertificateDetails): Request | undefined {
  if (details.otherNames.length > 0) return undefined;
  const of = (type: string): string[] =>
    details.alternativeNames.filter((name) => name.type === type).map(({ value }) => value);
  const { commonName = '', ...subject } = details.subject;
  const names = normalNames({
    commonName,
    dns: of('DNS'),
    ip: of('IP'),
    uri: of('URI'),
    email: of('email'),
  });
  return { authorityId, names, subject };
}
