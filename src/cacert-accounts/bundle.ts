import type { CAcertAccountSpec } from '../api/cacert/account-spec.ts';
import type { Bundle } from '../issuance/cacert/directory.ts';
import type { Reason } from '../lib/reason.ts';
import { ACCEPTED_AUTHORITY_KEYS, isAcceptedAuthorityKey } from '../x509/authority-key.ts';
import { type Certificate, fingerprintOf, readBundle } from '../x509/certificate.ts';
import { MOST_AUTHORITIES } from '../x509/chain.ts';
import { X509Error } from '../x509/errors.ts';

/**
 * The roots and intermediates of a bundle, or why certificates cannot be checked against it: it cannot be read, contains no
 * root that is valid at `now`, contains too many certificates or a key that is not accepted, or contains a root that is not
 * among the fingerprints.
 */
export function bundleOf(
  pem: string,
  { rootFingerprints }: Pick<CAcertAccountSpec, 'rootFingerprints'>,
  now: number,
): Bundle | Reason {
  let all: Certificate[];
  try {
    all = readBundle(pem).filter(({ isCa }) => isCa);
  } catch (error) {
    if (!(error instanceof X509Error)) throw error;
    return {
      reason: 'CABundleInvalid',
      message: `The bundle of CAcert’s certificates cannot be read: ${error.message}.`,
    };
  }
  const isRoot = ({ rawSubject, rawIssuer }: Certificate): boolean => rawSubject.equals(rawIssuer);
  const roots = all.filter((each) => isRoot(each) && each.notAfter > now);
  if (roots.length === 0) {
    return {
      reason: 'CABundleInvalid',
      message:
        'The bundle contains no valid root: add CAcert’s class 1 root, from https://www.cacert.org/index.php?id=3.',
    };
  }
  const intermediates = all.filter((each) => !isRoot(each));
  const unfit =
    tooMany(roots, 'roots') ??
    tooMany(intermediates, 'intermediates') ??
    unfitKey([...roots, ...intermediates]);
  if (unfit !== undefined) return { reason: 'CABundleInvalid', message: unfit };
  const pinned = rootFingerprints?.map((each) => each.replaceAll(':', '').toLowerCase());
  const stranger = pinned && roots.find((root) => !pinned.includes(fingerprintOf(root)));
  if (stranger) {
    return {
      reason: 'RootNotPinned',
      message: `The bundle holds a root with the fingerprint ${fingerprintOf(stranger)}, which is not among rootFingerprints: remove it, or add its fingerprint.`,
    };
  }
  return { roots, intermediates };
}

/** Each certificate that is checked may be verified with every authority of the bundle. */
function tooMany({ length }: readonly Certificate[], what: string): string | undefined {
  if (length <= MOST_AUTHORITIES) return undefined;
  return `The bundle contains ${length} ${what}, more than the ${MOST_AUTHORITIES} that are accepted: remove those that are not CAcert’s.`;
}

function unfitKey(authorities: readonly Certificate[]): string | undefined {
  const unfit = authorities.find(({ rawPublicKey }) => !isAcceptedAuthorityKey(rawPublicKey));
  return (
    unfit &&
    `The bundle contains an authority with the fingerprint ${fingerprintOf(unfit)}, whose key is not accepted: remove it. Accepted keys are ${ACCEPTED_AUTHORITY_KEYS}.`
  );
}
