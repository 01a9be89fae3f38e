import { wantedEmails } from '../../api/cacert/effective.ts';
import { ANONYMOUS_NAME } from '../../api/cacert/certificate-spec.ts';
import { type CAcertCertificate, cacertCertificates } from '../../api/kinds.ts';
import { CACERT_ANNOTATIONS, MANAGED_LABEL, SECRET_ANNOTATIONS } from '../../api/names.ts';
import type { CertificateKind } from '../certificate-kind.ts';

/** The CAcert-specific parts of certificates and their Secrets. */
export const cacertKind: CertificateKind<CAcertCertificate> = {
  type: cacertCertificates,
  caName: 'CAcert',
  // CAcert hands a request to a separate signing machine, usually for 10 to 40 seconds. No call shows what happens after we gave up.
  timing: { sendWindow: 5_000, callDeadline: 120_000, lateExecution: 0 },
  nameAnnotation: CACERT_ANNOTATIONS.certificateName,
  restated: ['attemptId', 'serialNumber'],
  echoed: ['attemptId'],
  metadataOf: ({ metadata, spec }) => ({
    labels: { [MANAGED_LABEL]: 'true' },
    annotations: {
      [CACERT_ANNOTATIONS.certificateName]: metadata.name,
      [CACERT_ANNOTATIONS.accountName]: spec.accountRef.name,
      [SECRET_ANNOTATIONS.commonName]: spec.commonName ?? ANONYMOUS_NAME,
      [SECRET_ANNOTATIONS.emailSans]: wantedEmails(spec).join(','),
    },
  }),
  claimedBy: () => undefined,
};
