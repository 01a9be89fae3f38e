import { z } from 'zod';
import { conditions } from '../schema/conditions.ts';
import { integer, statusText, time } from '../schema/fields.ts';

/**
 * One try to have a certificate signed, written before CAcert is called. It is open until it has a result: the serial
 * number of what came of it, or an outcome.
 */
const Attempt = z
  .object({
    number: integer('Counts the attempts of this resource, from 1.'),
    id: statusText('A random UUID; a write of the result is valid only while it is unchanged.', 36),
    holder: statusText('The replica of the operator that made the attempt.'),
    startTime: time('When the attempt was made, with milliseconds.'),
    specHash: statusText('Hash of what was asked for; equal for specs that ask for the same.', 80),
    pendingSecretName: statusText(
      'The Secret that keeps the private key until its certificate is there. A certificate that CAcert signs late is taken over once somebody puts it there, under tls.crt.',
    ),
    publicKeyHash: statusText('SHA-256 of the public key that was sent, in hexadecimal.', 64),
    requestId: statusText(
      'CAcert’s number of the request, where it said that signing took too long; the certificate is found under it in the web account.',
      32,
    ).exactOptional(),
    serialNumber: statusText('Serial number of the certificate that came of it.', 64).exactOptional(),
    reason: statusText('Why a certificate was needed, in one word.', 128).exactOptional(),
    outcome: z
      .enum(['Refused', 'Uncertain', 'Mismatched'])
      .describe(
        'Refused: CAcert certainly signed nothing. Uncertain: it may have. Mismatched: it signed another thing than was asked for.',
      )
      .exactOptional(),
  })
  .describe(
    'The last try. It is recorded before CAcert is asked, so that the key outlives whatever happens.',
  );
export type CAcertAttempt = z.output<typeof Attempt>;

/** `CAcertCertificate.status`. Only the operator writes it. */
export const CAcertCertificateStatus = z
  .object({
    conditions: conditions(
      'Ready says whether the Secret holds a valid certificate for this spec; Issuing whether one is being obtained.',
    ).exactOptional(),
    serialNumber: statusText(
      'Serial number of the certificate, in hexadecimal: what to revoke it by in the web account.',
      64,
    ).exactOptional(),
    issuer: statusText('Common name of the authority that signed it.', 256).exactOptional(),
    fingerprint: statusText('SHA-256 of the certificate, in hexadecimal.', 64).exactOptional(),
    notBefore: time('The certificate is valid from this moment on.').exactOptional(),
    notAfter: time('The certificate is valid until this moment.').exactOptional(),
    renewalTime: time('When the certificate will be renewed.').exactOptional(),
    revision: integer('Counts the certificates this resource has had, from 1.').exactOptional(),
    specHash: statusText('Hash of what the certificate in the Secret was asked for.', 80).exactOptional(),
    attempt: Attempt.exactOptional(),
    attemptTimes: z
      .array(time('When a call was about to be made.'))
      .max(24)
      .meta({
        description: 'The attempts of the last 24 hours, of which there is a highest number.',
        'x-kubernetes-list-type': 'atomic',
      })
      .exactOptional(),
    failedAttempts: integer('Failed attempts in a row; absent after a success.').exactOptional(),
    lastFailureTime: time('When the last attempt failed; absent after a success.').exactOptional(),
    nextAttemptTime: time('Not before this moment will the operator try again.').exactOptional(),
    secretUID: statusText('UID of the Secret last written.', 64).exactOptional(),
    secretResourceVersion: statusText(
      'Resource version of the Secret last written or checked; while it is unchanged, so is the Secret.',
      64,
    ).exactOptional(),
  })
  .describe('What the operator knows of the certificate.');
export type CAcertCertificateStatus = z.output<typeof CAcertCertificateStatus>;
