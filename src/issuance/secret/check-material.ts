import { AppError } from '../../lib/errors.ts';
import { type Certificate, readBundle } from '../../x509/certificate.ts';
import { verifyChain } from '../../x509/chain.ts';
import { type Names, sameNames } from '../../x509/names.ts';
import { PEM_LIMITS } from '../../x509/pem.ts';
import { readPrivateKey } from '../../x509/private-key.ts';
import type { CertificateKind } from '../certificate-kind.ts';
import { MAX_CLOCK_SKEW_MS } from '../clock-skew.ts';
import type { SecretSource } from './outputs.ts';

/** What the CA sent for one certificate id, unchecked. */
export interface Fetched {
  /** The leaf, followed by the authority's certificate, PEM. */
  chain: string;
  /** The private key, PEM. */
  key: string;
}

export type CheckFailure =
  | 'InvalidCertificate'
  | 'InvalidKeyPair'
  | 'IncorrectCertificate'
  | 'IncorrectIssuer'
  | 'Expired'
  | 'NotYetValid';

/** The CA sent something other than what was requested. It is never published, and never a reason to buy again. */
export class MaterialError extends AppError {
  declare readonly code: CheckFailure;
}

/** The certificate passes all other checks and has expired. */
export class ExpiredError extends MaterialError {
  readonly leaf: Certificate;

  constructor(leaf: Certificate) {
    super('Expired' satisfies CheckFailure, 'The certificate has already expired.');
    this.leaf = leaf;
  }
}

/**
 * Checks what the CA sent before it goes into a Secret: the key matches the certificate, the names are the requested ones,
 * the chain leads to the authority, and the certificate is valid now. `known`: certificates of the chain that were read already.
 * Throws a `MaterialError`, or an `X509Error` of the reader, whose codes and messages are just as fixed.
 */
export function checkMaterial(
  { caName }: Pick<CertificateKind<never>, 'caName'>,
  fetched: Fetched,
  expected: { names: Names; root: Certificate; now: number },
  known: readonly Certificate[] = [],
): SecretSource {
  const [leaf, ...others] = readBundle(fetched.chain, {
    limit: PEM_LIMITS.chain,
    known: [expected.root, ...known],
  });
  if (!leaf) throw failure('InvalidCertificate', `${caName} sent no certificate.`);
  const key = readPrivateKey(fetched.key);
  const intermediates = checkLeaf(leaf, others, expected);
  if (!key.matches(leaf)) {
    throw failure('InvalidKeyPair', `The private key that ${caName} sent does not fit the certificate.`);
  }
  return { leaf, intermediates, root: expected.root, key };
}

/** The checks that need no private key. Returns the intermediates that the chain needs. Throws a `MaterialError`. */
function checkLeaf(
  leaf: Certificate,
  others: readonly Certificate[],
  { names, root, now }: { names: Names; root: Certificate; now: number },
): Certificate[] {
  if (!sameNames(leaf.names, names)) {
    throw failure('IncorrectCertificate', 'The certificate has other names than were asked for.');
  }
  const chain = verifyChain(leaf, others, root);
  if (!chain.ok)
    throw failure('IncorrectIssuer', 'The certificate does not chain to the authority of the issuer.');
  checkDates(leaf, now);
  return chain.path;
}

/** Throws a `MaterialError` for a certificate that has expired, or that begins later than clock skew explains. */
export function checkDates(leaf: Certificate, now: number): void {
  if (leaf.notAfter <= now) throw new ExpiredError(leaf);
  if (leaf.notBefore > now + MAX_CLOCK_SKEW_MS) {
    throw failure(
      'NotYetValid',
      'The certificate is not valid yet; compare the clocks of this cluster and the CA.',
    );
  }
}

function failure(code: CheckFailure, message: string): MaterialError {
  return new MaterialError(code, message);
}
