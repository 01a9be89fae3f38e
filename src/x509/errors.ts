import { AppError } from '../lib/errors.ts';

/** Why a certificate, key or PEM text was refused. */
export type X509ErrorCode =
  | 'TooLarge'
  | 'InvalidPem'
  | 'InvalidDer'
  | 'InvalidCertificate'
  | 'InvalidPrivateKey'
  | 'InvalidName'
  | 'InvalidSigningRequest';

/** Refused input. The message is a fixed sentence and never quotes the input, which may be a private key. */
export class X509Error extends AppError {
  declare readonly code: X509ErrorCode;
}
