import { z } from 'zod';
import type {
  AlternativeName,
  AlternativeNameType,
  AuthorityDetails,
  AuthoritySummary,
  CertificateDetails,
  CertificateSummary,
  ReportedStatus,
  ReportedSubject,
} from './types.ts';

/** A non-negative integer as a number or as decimal text. It is not documented which; clients have seen both. */
const integer = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
]);
const id = integer.refine((value) => value > 0);

/** An optional text. Null, empty and absent mean the same. */
const optionalText = z
  .string()
  .nullish()
  .transform((text) => text || undefined);

const statuses: ReadonlySet<string> = new Set<ReportedStatus>([
  'good',
  'hold',
  'revoked',
  'expired',
  'obsolete',
]);

/** A status. One that this client does not know becomes `unknown`. */
const status = z.string().transform((text): ReportedStatus => {
  const name = text.toLowerCase();
  return statuses.has(name) ? (name as ReportedStatus) : 'unknown';
});

const subjectFields = {
  C: optionalText,
  ST: optionalText,
  L: optionalText,
  O: optionalText,
  OU: optionalText,
  CN: optionalText,
};

type SubjectFields = { [name in keyof typeof subjectFields]?: string | undefined };

function subjectOf({ C, ST, L, O, OU, CN }: SubjectFields): ReportedSubject {
  return {
    ...(C !== undefined && { country: C }),
    ...(ST !== undefined && { province: ST }),
    ...(L !== undefined && { locality: L }),
    ...(O !== undefined && { organization: O }),
    ...(OU !== undefined && { organizationalUnit: OU }),
    ...(CN !== undefined && { commonName: CN }),
  };
}

/** `connect`. */
export const tokenReply: z.ZodType<string> = z
  .object({ token: z.string().min(1).max(4096) })
  .transform(({ token }) => token);

/** `ca/list`. */
export const authorityListReply: z.ZodType<AuthoritySummary[]> = z.array(
  z
    .object({ id, name: z.string().nullish() })
    .transform((entry) => ({ id: entry.id, name: entry.name ?? '' })),
);

/** `ca/details`. */
export const authorityReply: z.ZodType<AuthorityDetails> = z
  .object({ id, ...subjectFields, E: optionalText, hash_alg: optionalText })
  .transform(({ id, E, hash_alg, ...fields }) => ({
    id,
    subject: subjectOf(fields),
    ...(E !== undefined && { email: E }),
    hashAlgorithm: hashOf(hash_alg),
  }));

function hashOf(name = ''): AuthorityDetails['hashAlgorithm'] {
  // Upper case in replies, lower case in requests.
  const hash = name.toLowerCase().replace('-', '');
  return hash === 'sha1' || hash === 'sha256' ? hash : 'unknown';
}

/** `ca/new`. */
export const newAuthorityReply: z.ZodType<number> = z.object({ ca_id: id }).transform(({ ca_id }) => ca_id);

/** `cert/new` and `cert/reissue`. */
export const newCertificateReply: z.ZodType<number> = z
  .object({ cert_id: id })
  .transform(({ cert_id }) => cert_id);

const certificateEntry: z.ZodType<CertificateSummary> = z
  .object({ id, name: z.string().nullish(), status, expires: integer })
  .transform((entry) => ({
    id: entry.id,
    commonName: entry.name ?? '',
    status: entry.status,
    expires: entry.expires,
  }));

/**
 * Reads an entry of `cert/list`. An entry exactly as documented is recognised without the schema, which takes a fraction of
 * the time: a list can have hundreds of thousands of entries.
 */
export function readCertificateEntry(entry: unknown): z.ZodSafeParseResult<CertificateSummary> {
  const data = documentedEntry(entry as EntryFields);
  return data ? { success: true, data } : certificateEntry.safeParse(entry);
}

type EntryFields = { [name in 'id' | 'name' | 'status' | 'expires']?: unknown };

function documentedEntry({ id, name, status, expires }: EntryFields): CertificateSummary | undefined {
  const documented =
    typeof name === 'string' &&
    typeof status === 'string' &&
    statuses.has(status) &&
    isCount(id) &&
    id > 0 &&
    isCount(expires);
  return documented ? { id, commonName: name, status: status as ReportedStatus, expires } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** One entry of `Alt`. It is checked as a whole, because an error for a part of it would quote a name of the reply. */
const nameEntry = z.custom<Record<string, string>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((text) => typeof text === 'string'),
);

/** `cert/details`. */
export const certificateReply: z.ZodType<CertificateDetails> = z
  .object({ id, status, ...subjectFields, Alt: z.array(nameEntry).nullish() })
  .transform(({ id, status, Alt, ...fields }) => ({
    id,
    status,
    subject: subjectOf(fields),
    ...namesOf(Alt ?? []),
  }));

const nameTypes: ReadonlyMap<string, AlternativeNameType> = new Map([
  ['dns', 'DNS'],
  ['ip', 'IP'],
  ['email', 'email'],
  ['uri', 'URI'],
]);

/** Keeps names of an unknown type separately: a comparison of names must not overlook them. */
function namesOf(
  list: Record<string, string>[],
): Pick<CertificateDetails, 'alternativeNames' | 'otherNames'> {
  const alternativeNames: AlternativeName[] = [];
  const otherNames: { type: string; value: string }[] = [];
  for (const [name, value] of list.flatMap((entry) => Object.entries(entry))) {
    const type = nameTypes.get(name.toLowerCase());
    if (type) alternativeNames.push({ type, value });
    else otherNames.push({ type: name, value });
  }
  return { alternativeNames, otherNames };
}

/** `ca/get`, and `cert/get` of anything but `pkcs12`. */
export const pemReply: z.ZodType<string> = z
  .object({ pem: z.string().regex(/-----BEGIN [A-Z0-9 ]+-----/) })
  .transform(({ pem }) => pem);

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** `cert/get` of `pkcs12`, decoded. Line breaks in the base64 are accepted. */
export const pkcs12Reply: z.ZodType<Buffer> = z
  .object({
    pkcs12: z
      .string()
      .transform((text) => text.replace(/\s+/g, ''))
      .pipe(z.string().min(4).regex(base64)),
  })
  .transform(({ pkcs12 }) => Buffer.from(pkcs12, 'base64'));
