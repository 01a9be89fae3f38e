import type { CertificateDetails } from '../../tinycert/index.ts';
import { normalNames } from '../../x509/names.ts';
import type { Request } from './request.ts';

/** What a certificate of the CA was asked for; undefined if it has names that nobody can ask for. */
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
