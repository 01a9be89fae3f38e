import { z } from 'zod';
import { conditions } from '../schema/conditions.ts';
import { failureFields } from '../schema/failure.ts';
import { integer, statusText, time } from '../schema/fields.ts';
import { secretFields } from '../schema/secret-fields.ts';

/** What CAcert signed, or may have signed, and the operator does not serve. */
const Unserved = z
  .object({
    outcome: z
      .enum(['Uncertain', 'Mismatched'])
      .describe(
        'Uncertain: CAcert may have signed a certificate that did not arrive. Mismatched: it signed something other than what was requested.',
      ),
    secretName: statusText(
      'Secret that keeps the private key. To use a certificate that CAcert signed late, put it into this Secret under tls.crt.',
    ),
    specHash: statusText(
      'Hash of the requested certificate. Specs that request the same certificate have the same hash.',
      80,
    ),
    publicKeyHash: statusText('SHA-256 of the public key in the request, in hexadecimal.', 64),
    requestId: statusText(
      'CAcert’s number of the request, set if CAcert reported that signing takes too long. The web account lists the certificate under it.',
      32,
    ).exactOptional(),
  })
  .describe('A certificate that CAcert signed, or may have signed, and that is not in the Secret.');
export type CAcertUnserved = z.output<typeof Unserved>;

/** `CAcertCertificate.status`. Only the operator writes it. */
export const CAcertCertificateStatus = z
  .object({
    conditions: conditions(
      'Conditions of the certificate. Ready: the Secret contains a valid certificate for this spec. Issuing: a certificate is being obtained.',
    ).exactOptional(),
    serialNumber: statusText(
      'Serial number of the certificate, in hexadecimal. Use it to find and revoke the certificate in the web account.',
      64,
    ).exactOptional(),
    issuer: statusText('Common name of the authority that signed it.', 256).exactOptional(),
    fingerprint: statusText('SHA-256 of the certificate, in hexadecimal.', 64).exactOptional(),
    notBefore: time('When the certificate becomes valid.').exactOptional(),
    notAfter: time('When the certificate expires.').exactOptional(),
    renewalTime: time('When the certificate will be renewed.').exactOptional(),
    revision: integer('Number of certificates that this resource has had.').exactOptional(),
    specHash: statusText('Hash of the request for the certificate in the Secret.', 80).exactOptional(),
    attemptId: statusText(
      'Id of the last attempt that has ended. Attempts that have not are in the operator’s journal.',
      36,
    ).exactOptional(),
    unserved: Unserved.exactOptional(),
    attemptTimes: z
      .array(time('When an attempt was made.'))
      .max(24)
      .meta({
        description:
          'Times of the attempts that have ended in the last 24 hours and may have brought a certificate. The operator limits them.',
        'x-kubernetes-list-type': 'atomic',
      })
      .exactOptional(),
    attemptTime: time(
      'When the attempt was made that the present certificate came of, by the operator’s clock. The certificate is not renewed before half of its time to renewal has passed since.',
    ).exactOptional(),
    ...failureFields,
    ...secretFields,
  })
  .describe('What the operator knows about the certificate.');
export type CAcertCertificateStatus = z.output<typeof CAcertCertificateStatus>;
