import { effectiveNames, effectiveSubject } from '../../api/tinycert/effective.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { Subject } from '../../api/tinycert/subject.ts';
import { canonicalJson, sha256Hex } from '../../lib/hash.ts';
import type { Names } from '../../x509/names.ts';
import type { AuthorityMaterial, ReadyIssuer } from './issuer-directory.ts';
import { markerOf } from './marker.ts';

/** What the CA is asked for: all that one certificate can be told from another by, before it is issued. */
export interface Request {
  authorityId: number;
  names: Names;
  /** Without the common name, which is among the names. */
  subject: Subject;
}

/** The request of a resource to an issuer. An issuer that marks its certificates decides on the organizational unit. */
export function requestOf(
  { spec, metadata: { uid = '' } }: Pick<TinyCertCertificate, 'spec' | 'metadata'>,
  { authority, subject, marksFor }: Pick<ReadyIssuer, 'authority' | 'subject' | 'marksFor'>,
  material: Pick<AuthorityMaterial, 'subject'>,
): Request {
  const plain = effectiveSubject(spec.subject, subject, material.subject);
  return {
    authorityId: authority.id,
    names: effectiveNames(spec),
    subject: marksFor === undefined ? plain : { ...plain, organizationalUnit: markerOf(marksFor, uid) },
  };
}

/** Equal for requests that ask for the same, in whatever order; it stands in an attempt for what was asked. */
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

const subjectFields = ['country', 'organization', 'organizationalUnit', 'locality', 'province'] as const;
