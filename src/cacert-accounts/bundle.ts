import type { CAcertAccountSpec } from '../api/cacert/account-spec.ts';
import type { Bundle } from '../issuance/cacert/directory.ts';
import type { Reason } from '../lib/reason.ts';
import { type Certificate, fingerprintOf, readBundle } from '../x509/certificate.ts';
import { X509Error } from '../x509/errors.ts';

/**
 * The roots and intermediates of a bundle, or why certificates cannot be checked against it: it cannot be read, contains no
 * root that is valid at `now`, or contains a root that is not among the fingerprints.
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
  const pinned = rootFingerprints?.map((each) => each.replaceAll(':', '').toLowerCase());
  const stranger = pinned && roots.find((root) => !pinned.includes(fingerprintOf(root)));
  if (stranger) {
    return {
      reason: 'RootNotPinned',
      message: `The bundle holds a root with the fingerprint ${fingerprintOf(stranger)}, which is not among rootFingerprints: remove it, or add its fingerprint.`,
    };
  }
  return { roots, intermediates: all.filter((each) => !isRoot(each)) };
}
