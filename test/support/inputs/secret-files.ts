import type { Secret } from '../../../src/kube/objects.ts';
import { readCertificate } from '../../../src/x509/certificate.ts';
import { readPrivateKey } from '../../../src/x509/private-key.ts';
import type { Vector } from '../x509/x509-vectors.ts';

/** The files of a TLS Secret as the operator writes them. */
export function filesFor(leaf: Vector, root: Vector, intermediates: readonly Vector[] = []) {
  const pem = ({ cert }: Vector): string => readCertificate(cert).pem;
  return {
    'tls.crt': [leaf, ...intermediates].map(pem).join(''),
    'tls.key': readPrivateKey(leaf.key).toPkcs8(),
    'ca.crt': pem(root),
  };
}

/** A TLS Secret with these files. */
export function tlsSecret(files: Record<string, string>, metadata: Partial<Secret['metadata']> = {}): Secret {
  const entries = Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { namespace: 'ns', name: 'web-tls', uid: 'secret-uid', resourceVersion: '10', ...metadata },
    data: Object.fromEntries(entries) as Record<string, string>,
  };
}
