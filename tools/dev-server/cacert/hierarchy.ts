/** Throw-away authorities in the shape of CAcert's: a class 1 root, and a class 3 intermediate under it. */
import * as der from '../x509/der.ts';
import { type KeyPair, generateRsaKey } from '../x509/keys.ts';
import { type CertificateParts, access, certificate, distributionPoint, extension } from '../x509/x509.ts';
import { OID, nameOf } from './profile.ts';

const DAY = 86_400;
const YEAR = 365 * DAY;

/** One signing authority. */
export interface CAcertAuthority {
  readonly id: 'class1' | 'class3';
  readonly key: KeyPair;
  /** Its subject, DER. */
  readonly name: Buffer;
  readonly der: Buffer;
  /** The URL of its CRL. */
  readonly crl: string;
  nextSerial: number;
}

export interface Hierarchy {
  class1: CAcertAuthority;
  class3: CAcertAuthority;
  /** A key that belongs to no member, for certificates of somebody else. */
  stranger: KeyPair;
}

const CLASS1 = nameOf({
  O: 'Root CA',
  OU: 'dev server, trusted by nobody',
  CN: 'CA Cert Signing Authority',
  emails: ['support@example.org'],
});
const CLASS3 = nameOf({ O: 'CAcert Inc.', OU: 'dev server, trusted by nobody', CN: 'CAcert Class 3 Root' });

/** Made once per process, so all its servers have the same authorities. */
let keys: Promise<[KeyPair, KeyPair, KeyPair]> | undefined;

/** The hierarchy of a server. `now` is in Unix seconds, `base` the URL under which CRLs and OCSP answers are served. */
export async function createHierarchy(now: number, base: string): Promise<Hierarchy> {
  keys ??= Promise.all([generateRsaKey(), generateRsaKey(), generateRsaKey()]);
  const [rootKey, class3Key, stranger] = await keys;
  const crl = `${base}/crl/revoke.crl`;
  const dates = { notBefore: now - DAY, notAfter: now + 20 * YEAR };
  const common = { issuer: CLASS1, ...dates };
  const class1: CertificateParts = {
    ...common,
    serial: 0x0f,
    subject: CLASS1,
    spki: rootKey.spki,
    extensions: [...authorityExtensions(rootKey), distributionPoint(crl)],
  };
  const class3: CertificateParts = {
    ...common,
    notAfter: now + 10 * YEAR,
    serial: 0x14e228,
    subject: CLASS3,
    spki: class3Key.spki,
    extensions: [
      ...authorityExtensions(class3Key),
      extension(OID.authorityInfoAccess, false, der.sequence(access(OID.ocsp, `${base}/ocsp`))),
      distributionPoint(crl),
    ],
  };
  return {
    class1: {
      id: 'class1',
      key: rootKey,
      name: CLASS1,
      der: certificate(class1, rootKey, 'sha256'),
      crl,
      nextSerial: 0x14e229,
    },
    class3: {
      id: 'class3',
      key: class3Key,
      name: CLASS3,
      der: certificate(class3, rootKey, 'sha256'),
      crl: `${base}/crl/class3-revoke.crl`,
      nextSerial: 0x2a001,
    },
    stranger,
  };
}

function authorityExtensions(key: KeyPair): Buffer[] {
  return [
    extension(OID.basicConstraints, true, der.sequence(der.boolean(true))),
    extension(OID.subjectKeyIdentifier, false, der.octetString(key.identifier)),
  ];
}
