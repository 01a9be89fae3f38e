/** The profile of client certificates (reference, "What comes out"; CPS 7.1.2). */
import * as der from '../x509/der.ts';
import { access, alternativeNames, distinguishedName, distributionPoint, extension } from '../x509/x509.ts';

export const OID = {
  subjectKeyIdentifier: der.oid('2.5.29.14'),
  keyUsage: der.oid('2.5.29.15'),
  subjectAltName: der.oid('2.5.29.17'),
  basicConstraints: der.oid('2.5.29.19'),
  extendedKeyUsage: der.oid('2.5.29.37'),
  authorityInfoAccess: der.oid('1.3.6.1.5.5.7.1.1'),
  emailAddress: der.oid('1.2.840.113549.1.9.1'),
  ocsp: '1.3.6.1.5.5.7.48.1',
};

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** emailProtection, clientAuth, msEFS, msSGC, nsSGC */
const PURPOSES = [
  '1.3.6.1.5.5.7.3.4',
  CLIENT_AUTH,
  '1.3.6.1.4.1.311.10.3.4',
  '1.3.6.1.4.1.311.10.3.3',
  '2.16.840.1.113730.4.1',
];
/** codeSigning, msCodeInd, msCodeCom */
const CODE_SIGNING_PURPOSES = ['1.3.6.1.5.5.7.3.3', '1.3.6.1.4.1.311.2.1.21', '1.3.6.1.4.1.311.2.1.22'];

/** A name, followed by its e-mail addresses, each an RDN of its own. */
export function nameOf({
  emails = [],
  ...parts
}: {
  O?: string;
  OU?: string;
  CN: string;
  emails?: readonly string[];
}): Buffer {
  const plain = distinguishedName(parts);
  // Drop its header: two bytes, or more if the length does not fit into the second.
  const long = (plain[1] ?? 0) & 0x80 ? (plain[1] ?? 0) & 0x7f : 0;
  const addresses = emails.map((email) =>
    der.set(der.sequence(OID.emailAddress, der.tagged(0x16, Buffer.from(email, 'latin1')))),
  );
  return der.sequence(plain.subarray(2 + long), ...addresses);
}

export interface ClientProfile {
  emails: readonly string[];
  codeSigning: boolean;
  /** Whether it is for TLS clients, as all are without a fault. */
  clientAuth: boolean;
  crl: string;
  ocsp: string;
}

/** The extensions of a client certificate. */
export function clientExtensions({ emails, codeSigning, clientAuth, crl, ocsp }: ClientProfile): Buffer[] {
  const purposes = [...PURPOSES, ...(codeSigning ? CODE_SIGNING_PURPOSES : [])].filter(
    (purpose) => clientAuth || purpose !== CLIENT_AUTH,
  );
  return [
    extension(OID.basicConstraints, true, der.sequence()),
    // digitalSignature, keyEncipherment, keyAgreement
    extension(OID.keyUsage, true, der.namedBits(0, 2, 4)),
    extension(OID.extendedKeyUsage, false, der.sequence(...purposes.map(der.oid))),
    extension(OID.authorityInfoAccess, false, der.sequence(access(OID.ocsp, ocsp))),
    distributionPoint(crl),
    ...(emails.length === 0
      ? []
      : [
          extension(
            OID.subjectAltName,
            false,
            alternativeNames(emails.map((value) => ({ type: 'email', value }))),
          ),
        ]),
  ];
}
