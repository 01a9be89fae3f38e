import { effectiveNames, effectiveSubject } from '../api/effective.ts';
import type { TinyCertCertificate } from '../api/kinds.ts';
import type { Subject } from '../api/subject.ts';
import { canonicalJson, sha256Hex } from '../lib/hash.ts';
import { type Names, sameNames } from '../x509/names.ts';
import type { AuthorityMaterial, ReadyIssuer } from './issuer-directory.ts';

/** What the CA is asked for: all that one certificate can be told from another by, before it is issued. */
export interface Request {
  authorityId: number;
  names: Names;
  /** Without the common name, which is among the names. */
  subject: Subject;
}

/** The request of a resource to an issuer. */
export function requestOf(
  { spec }: Pick<TinyCertCertificate, 'spec'>,
  issuer: Pick<ReadyIssuer, 'authority' | 'subject'>,
  material: Pick<AuthorityMaterial, 'subject'>,
): Request {
  return {
    authorityId: issuer.authority.id,
    names: effectiveNames(spec),
    subject: effectiveSubject(spec.subject, issuer.subject, material.subject),
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

/** Whether two requests cannot be told apart at the CA. */
export function isSameRequest(a: Request, b: Request): boolean {
  return a.authorityId === b.authorityId && sameNames(a.names, b.names) && sameSubject(a.subject, b.subject);
}

/** Whether two subjects are the same; an empty field counts as absent. */
export function sameSubject(a: Subject, b: Subject): boolean {
  return subjectFields.every((field) => (a[field] ?? '') === (b[field] ?? ''));
}

const subjectFields = ['country', 'organization', 'organizationalUnit', 'locality', 'province'] as const;
