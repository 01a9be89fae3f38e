import type { Secret } from '../../kube/objects.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { PrivateKey } from '../../x509/private-key.ts';
import type { CertificateResource } from '../certificate-kind.ts';

/** What the files of a Secret are made from. */
export interface SecretSource {
  leaf: Certificate;
  /** From the leaf's issuer upwards, without the root: the path of `verifyChain`. */
  intermediates: readonly Certificate[];
  root: Certificate;
  /** The private key, which matches the leaf. */
  key: PrivateKey;
}

/** One file of a certificate's Secret. */
interface Output {
  /** Its key in `data`. */
  file: string;
  /** Its content; undefined if the spec does not want it, which removes a file that is there. */
  render: (source: SecretSource, spec: CertificateResource['spec']) => string | undefined;
}

/**
 * The files of a certificate's Secret. A field of the spec that only changes the Secret is a row here: a Secret that does not
 * have its outputs is rewritten from what it holds, without a call to the CA.
 */
const outputs: readonly Output[] = [
  {
    // The leaf first, as servers expect it, and never the root, which clients have.
    file: 'tls.crt',
    render: ({ leaf, intermediates }) => [leaf, ...intermediates].map(({ pem }) => pem).join(''),
  },
  { file: 'tls.key', render: ({ key }) => key.toPkcs8() },
  { file: 'ca.crt', render: ({ root }) => root.pem },
];

/** The `data` of a certificate's Secret, in base64 as the API wants it; null for a file that should not be there. */
export function renderOutputs(
  source: SecretSource,
  spec: CertificateResource['spec'],
): Record<string, string | null> {
  return Object.fromEntries(
    outputs.map(({ file, render }) => {
      const content = render(source, spec);
      return [file, content === undefined ? null : Buffer.from(content).toString('base64')];
    }),
  );
}

/** Whether a Secret has exactly the outputs of its certificate. Files that others added do not matter. */
export function hasOutputs(
  { data = {} }: Pick<Secret, 'data'>,
  source: SecretSource,
  spec: CertificateResource['spec'],
): boolean {
  return outputs.every(({ file, render }) => {
    const present = data[file];
    return render(source, spec) === (present && Buffer.from(present, 'base64').toString());
  });
}
