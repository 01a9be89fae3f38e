import { createHash, X509Certificate } from 'node:crypto';
import { hasUnnamedCurve } from './authority-key.ts';
import { DerCursor, TAG, bitStringBytes, constructed } from './der.ts';
import { type DistinguishedName, readDistinguishedName } from './distinguished-name.ts';
import { X509Error } from './errors.ts';
import { type GeneralNames, readGeneralNames } from './general-names.ts';
import { type Names, normalNames } from './names.ts';
import { PEM_LIMITS, readPem, writePem } from './pem.ts';
import { readTime } from './time.ts';

/** A certificate, parsed once. */
export interface Certificate {
  /** The certificate as PEM, written again: lines of 64 characters, a final line break, no other text. */
  readonly pem: string;
  /** The certificate as DER. */
  readonly raw: Buffer;
  /** OpenSSL's view of the certificate, for signatures and key pairs. Its texts are ambiguous. */
  readonly x509: X509Certificate;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Subject and issuer as DER, for comparison. */
  readonly rawSubject: Buffer;
  readonly rawIssuer: Buffer;
  /** SubjectPublicKeyInfo as DER. */
  readonly rawPublicKey: Buffer;
  /** Common name and alternative names in normal form. */
  readonly names: Names;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Lower-case hexadecimal, whole bytes: `00` for the serial number 0 of TinyCert's authorities. */
  readonly serialNumber: string;
  /** SHA-256 of the SubjectPublicKeyInfo, in hexadecimal. All certificates of one key share it. */
  readonly publicKeyFingerprint: string;
  /** Whether basicConstraints has the CA flag. */
  readonly isCa: boolean;
}

/** Reads a PEM text with exactly one certificate. Throws `X509Error`. */
export function readCertificate(pem: string): Certificate {
  const [certificate, ...others] = readBundle(pem, { limit: PEM_LIMITS.certificate });
  if (!certificate) throw new X509Error('InvalidPem', 'the PEM text contains no certificate');
  if (others.length > 0) throw new X509Error('InvalidPem', 'the PEM text contains more than one certificate');
  return certificate;
}

/** SHA-256 fingerprint of a certificate, in hexadecimal. */
export function fingerprintOf({ raw }: Pick<Certificate, 'raw'>): string {
  return createHash('sha256').update(raw).digest('hex');
}

export interface BundleOptions {
  /** Longest text in characters. Default: `PEM_LIMITS.bundle`. */
  limit?: number;
  /** Certificates that were read already and need not be parsed again. */
  known?: readonly Certificate[];
}

/** Reads all certificates of a PEM text, in their order. Throws `X509Error`, also for a block of another kind. */
export function readBundle(pem: string, options: BundleOptions = {}): Certificate[] {
  const { limit = PEM_LIMITS.bundle, known = [] } = options;
  return readPem(pem, limit).map(({ label, der }) => {
    if (label !== 'CERTIFICATE')
      throw new X509Error('InvalidPem', 'the PEM text contains something other than certificates');
    if (der.length > PEM_LIMITS.certificate)
      throw new X509Error('TooLarge', 'a certificate is larger than the limit');
    return known.find((certificate) => certificate.raw.equals(der)) ?? readDer(der);
  });
}

function readDer(raw: Buffer): Certificate {
  // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature } (RFC 5280 section 4.1)
  const outer = new DerCursor(raw);
  const certificate = outer.enter(TAG.sequence);
  outer.finish();
  const tbs = certificate.enter(TAG.sequence);
  certificate.next(TAG.sequence);
  bitStringBytes(certificate.next(TAG.bitString).content);
  certificate.finish();

  tbs.optional(constructed(0));
  const serialNumber = tbs.next(TAG.integer).content;
  tbs.next(TAG.sequence);
  const issuer = tbs.next(TAG.sequence);
  const validity = tbs.enter(TAG.sequence);
  const notBefore = readTime(validity.any());
  const notAfter = readTime(validity.any());
  const subject = tbs.next(TAG.sequence);
  const rawPublicKey = tbs.next(TAG.sequence).whole;
  if (hasUnnamedCurve(rawPublicKey))
    throw new X509Error('InvalidCertificate', 'the EC key of a certificate is not on a named curve');
  tbs.optional(0x81);
  tbs.optional(0x82);
  const { isCa, alternativeNames } = readExtensions(tbs.optional(constructed(3))?.content);
  tbs.finish();

  const subjectName = readDistinguishedName(subject.content);
  return {
    pem: writePem('CERTIFICATE', raw),
    raw,
    x509: parseWithOpenssl(raw),
    subject: subjectName,
    issuer: readDistinguishedName(issuer.content),
    rawSubject: subject.whole,
    rawIssuer: issuer.whole,
    rawPublicKey,
    names: normalNames({ commonName: subjectName.commonName ?? '', ...alternativeNames }),
    notBefore,
    notAfter,
    serialNumber: (serialNumber.length > 1 && serialNumber[0] === 0
      ? serialNumber.subarray(1)
      : serialNumber
    ).toString('hex'),
    publicKeyFingerprint: createHash('sha256').update(rawPublicKey).digest('hex'),
    isCa,
  };
}

/** 2.5.29.17 */
const SUBJECT_ALT_NAME = Buffer.from([0x55, 0x1d, 0x11]);
/** 2.5.29.19 */
const BASIC_CONSTRAINTS = Buffer.from([0x55, 0x1d, 0x13]);

interface Extensions {
  isCa: boolean;
  alternativeNames: GeneralNames;
}

function readExtensions(explicit: Buffer | undefined): Extensions {
  const result: Extensions = {
    isCa: false,
    alternativeNames: { dns: [], ip: [], uri: [], email: [], other: [] },
  };
  if (!explicit) return result;
  const outer = new DerCursor(explicit);
  const extensions = outer.enter(TAG.sequence);
  outer.finish();
  while (!extensions.done) {
    const extension = extensions.enter(TAG.sequence);
    const oid = extension.next(TAG.oid).content;
    extension.optional(TAG.boolean);
    const value = extension.next(TAG.octetString).content;
    extension.finish();
    if (oid.equals(SUBJECT_ALT_NAME)) result.alternativeNames = readGeneralNames(value);
    if (oid.equals(BASIC_CONSTRAINTS)) result.isCa = readIsCa(value);
  }
  return result;
}

function readIsCa(value: Buffer): boolean {
  const constraints = new DerCursor(value).enter(TAG.sequence);
  return constraints.optional(TAG.boolean)?.content[0] === 0xff;
}

function parseWithOpenssl(raw: Buffer): X509Certificate {
  try {
    return new X509Certificate(raw);
  } catch (error) {
    throw new X509Error('InvalidCertificate', 'OpenSSL cannot read the certificate', { cause: error });
  }
}
