import { z } from 'zod';
import { sha256Hex } from '../../lib/hash.ts';
import { integer } from '../schema/fields.ts';

/**
 * What the ids of TinyCert name (docs/adr/0014). Every account numbers its authorities and certificates by itself, so an id
 * means nothing without its account. These types carry all parts, and the brand keeps any other text from standing in for
 * an account.
 */

/** 128 bits, in hexadecimal. */
const DIGITS = 32;

/** The schema of a digest that names an account in a status. */
export const AccountDigest = z
  .string()
  .max(DIGITS)
  .describe('Digest of the TinyCert account: of its endpoint and its e-mail address.')
  .brand<'AccountDigest'>();
/** Names an account without telling its e-mail address. Only this file makes one. */
export type AccountDigest = z.output<typeof AccountDigest>;

/** The fields of an authority's identity in a schema. */
export const authorityFields = {
  account: AccountDigest,
  authorityId: integer('TinyCert’s id of the authority, in this account.'),
};

/** The fields of a certificate's identity in a schema. */
export const certificateFields = {
  ...authorityFields,
  certificateId: integer('TinyCert’s id of the certificate, in this account.'),
};

/** The keys of a list of certificates in a CRD. */
export const certificateListKeys = ['account', 'authorityId', 'certificateId'];

/** An authority. */
export interface AuthorityRef {
  account: AccountDigest;
  authorityId: number;
}

/** A certificate. */
export interface CertificateRef extends AuthorityRef {
  certificateId: number;
}

/** What anyone may have written of an identity. */
type Stated<Ref> = { [Field in keyof Ref]?: Ref[Field] | undefined };

/**
 * The digest of an account. Spellings of one endpoint that every URL parser takes for the same give the same digest; the
 * part of the e-mail address before the `@` counts as written. Throws a TypeError if the endpoint is not a URL.
 */
export function accountDigest(endpoint: string, email: string): AccountDigest {
  const { protocol, hostname, port, pathname } = new URL(endpoint);
  const host = `${hostname.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}`;
  const path = pathname.endsWith('/') ? pathname : `${pathname}/`;
  const at = email.lastIndexOf('@');
  const address = `${email.slice(0, at + 1)}${email.slice(at + 1).toLowerCase()}`;
  const digest = sha256Hex(`tinycert-operator account\n${protocol}//${host}${path}\n${address}`);
  return digest.slice(0, DIGITS) as AccountDigest;
}

/** The certificate that texts which anyone may have written name; undefined if they name none. */
export function parseCertificateRef(texts: {
  [Field in keyof CertificateRef]: string | undefined;
}): CertificateRef | undefined {
  const id = (text = ''): number | undefined => (/^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : undefined);
  const { account = '' } = texts;
  return certificateRef({
    account: /^[0-9a-f]{32}$/.test(account) ? (account as AccountDigest) : undefined,
    authorityId: id(texts.authorityId),
    certificateId: id(texts.certificateId),
  });
}

/** The authority that is stated, if it is stated wholly. */
export function authorityRef({ account, authorityId }: Stated<AuthorityRef> = {}): AuthorityRef | undefined {
  return account === undefined || authorityId === undefined ? undefined : { account, authorityId };
}

/** The certificate that a status or an attempt states, if it is stated wholly: an id alone names none. */
export function certificateRef(stated: Stated<CertificateRef> = {}): CertificateRef | undefined {
  const authority = authorityRef(stated);
  const { certificateId } = stated;
  return authority && certificateId !== undefined ? { ...authority, certificateId } : undefined;
}

/** The certificate with this id of an authority. */
export function certificateOf({ account, authorityId }: AuthorityRef, certificateId: number): CertificateRef {
  return { account, authorityId, certificateId };
}

/** A text that is equal for the same authority, for the keys of maps and locks. */
export function authorityKey({ account, authorityId }: AuthorityRef): string {
  return `${account}/${authorityId}`;
}

/** A text that is equal for the same certificate, for the keys of maps and indexes. */
export function certificateKey(ref: CertificateRef): string {
  return `${authorityKey(ref)}/${ref.certificateId}`;
}

/** Whether both name the same authority. What is not stated wholly names none. */
export function isSameAuthority(
  a: Stated<AuthorityRef> | undefined,
  b: Stated<AuthorityRef> | undefined,
): boolean {
  return a?.account !== undefined && a.account === b?.account && a.authorityId === b.authorityId;
}

/** Whether both name the same certificate. What is not stated wholly names none. */
export function isSameCertificate(
  a: Stated<CertificateRef> | undefined,
  b: Stated<CertificateRef> | undefined,
): boolean {
  return isSameAuthority(a, b) && a?.certificateId !== undefined && a.certificateId === b?.certificateId;
}
