import type { Material } from './check-material.ts';

/** Type of the Secrets that are served by ingress controllers. */
export const TLS_SECRET = 'kubernetes.io/tls';

/** The files of a certificate's Secret, base64 as in `data`. */
export function secretData(material: Material): Record<string, string> {
  return {
    'tls.crt': base64(material.certificates),
    'tls.key': base64(material.key),
    'ca.crt': base64(material.root),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
