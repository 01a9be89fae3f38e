import { z } from 'zod';
import { conditions } from '../schema/conditions.ts';
import { failureFields } from '../schema/failure.ts';
import { integer, statusText, time } from '../schema/fields.ts';

/**
 * One attempt to have a certificate signed, written before CAcert is called. It is open until it has a result: the serial
 * number of the certificate, or an outcome.
 */
const Attempt = z
  .object({
    number: integer('Number of the attempt; the first of this resource is 1.'),
    id: statusText('Random UUID of the attempt. A result is written only while this is unchanged.', 36),
    holder: statusText('Replica of the operator that made the attempt.'),
    startTime: time('When the attempt was made, to the millisecond.'),
    specHash: statusText(
      'Hash of the requested certificate. Specs that request the same certificate have the same hash.',
      80,
    ),
    pendingSecretName: statusText(
      'Secret that keeps the private key until its certificate is in place. To use a certificate that CAcert signed late, put it into this Secret under tls.crt.',
    ),
    publicKeyHash: statusText('SHA-256 of the public key in the request, in hexadecimal.', 64),
    requestId: statusText(
      'CAcert’s number of the request, set if CAcert reported that signing takes too long. The web account lists the certificate under it.',
      32,
    ).exactOptional(),
    serialNumber: statusText(
      'Serial number of the certificate that the attempt brought.',
      64,
    ).exactOptional(),
    reason: statusText('Why a certificate was needed, as one word.', 128).exactOptional(),
    outcome: z
      .enum(['Refused', 'Uncertain', 'Mismatched'])
      .describe(
        'How the attempt ended. Refused: CAcert certainly signed nothing. Uncertain: it may have signed a certificate. Mismatched: it signed something other than what was requested.',
      )
      .exactOptional(),
  })
  .describe(
    'The last attempt to have a certificate signed. It is recorded before CAcert is called, so that no key is lost.',
  );
export type CAcertAttempt = z.output<typeof Attempt>;

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
    attempt: Attempt.exactOptional(),
    attemptTimes: z
      .array(time('When an attempt was made.'))
      .max(24)
      .meta({
        description: 'Times of the attempts in the last 24 hours, which the operator limits.',
        'x-kubernetes-list-type': 'atomic',
      })
      .exactOptional(),
    ...failureFields,
    secretUID: statusText('UID of the Secret that was last written.', 64).exactOptional(),
    secretResourceVersion: statusText(
      'Resource version of the Secret that was last written or checked. The Secret is read again when it changes.',
      64,
    ).exactOptional(),
  })
  .describe('What the operator knows about the certificate.');
export type CAcertCertificateStatus = z.output<typeof CAcertCertificateStatus>;
