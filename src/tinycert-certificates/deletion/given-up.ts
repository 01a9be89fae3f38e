import type { TinyCertCertificate } from '../../api/kinds.ts';
import { certificateKey, type CertificateRef, certificateRef } from '../../api/tinycert/identity.ts';
import { groupOf, placeHash } from '../../issuance/tinycert/attempt.ts';
import { released, type TinyCertView } from '../../issuance/tinycert/records.ts';
import { isSealed, type Sealer } from '../../issuance/tinycert/seal.ts';
import type { Recording } from '../../journal/group.ts';
import { BY_CERTIFICATE, type Deps } from '../context/deps.ts';

/** What a resource that is deleted gives up. */
export interface GivenUp {
  certificates: CertificateRef[];
  /** What is new of it to the journal. */
  records: Recording[];
}

/**
 * What the status of a deleted resource names, or one part of it: everything but what another resource has by now, which was created
 * again and adopted it. A status that no sealer knows speaks for nobody. `issuerKey`: of the issuer that shows what turns out to be an
 * orphan.
 */
export function givenUpBy(
  { certificates }: Pick<Deps, 'certificates'>,
  view: TinyCertView,
  gone: TinyCertCertificate,
  { issuerKey, sealers }: { issuerKey: string; sealers: readonly Sealer[] },
): GivenUp {
  const isTrue = (resource: TinyCertCertificate): boolean =>
    sealers.some((sealer) => isSealed(sealer, resource));
  if (!isTrue(gone)) return { certificates: [], records: [] };
  const { uid, namespace } = gone.metadata;
  const isItself = ({ metadata }: TinyCertCertificate): boolean =>
    metadata.uid === uid && metadata.deletionTimestamp !== undefined;
  const isTaken = (each: CertificateRef): boolean =>
    certificates
      .byIndex(BY_CERTIFICATE, certificateKey(each))
      .some((other) => !isItself(other) && isTrue(other));
  const had = hadBy(gone).filter((each) => !isTaken(each));
  const issuer = placeHash(issuerKey);
  const records = had.flatMap((each) =>
    released(view, [each], { issuer, cause: 'Deleted', group: groupOf(each, namespace) }),
  );
  return { certificates: had, records };
}

/** The certificates that a resource had. The present one comes last, so it is remembered longest. */
function hadBy({ status }: TinyCertCertificate): CertificateRef[] {
  const { pendingRevocations = [], formerCertificates = [] } = status ?? {};
  const all = [...pendingRevocations, ...formerCertificates, certificateRef(status)];
  return [...new Map(all.flatMap((each) => (each ? [[certificateKey(each), each]] : []))).values()];
}
