import { createHmac } from 'node:crypto';
import { type Form, phpQuery } from '../http/form.ts';

export type SignatureRule = 'raw' | 'php' | 'either';

/**
 * Whether the digest is the HMAC-SHA256, under the API key, of the signed text: the bytes before `&digest=` as received
 * (`raw`), or the parameters as PHP would rewrite them (`php`). It is unknown which of them the real service checks, and
 * published clients differ in what they leave unescaped; by default both pass.
 */
export function signatureIsValid(
  body: Buffer,
  form: Form,
  digest: string,
  apiKey: string,
  rule: SignatureRule,
): boolean {
  if (rule !== 'php') {
    const end = body.lastIndexOf('&digest=');
    const isLast = end !== -1 && body.toString('latin1', end + '&digest='.length) === digest;
    if (isLast && hmac(body.subarray(0, end), apiKey) === digest) return true;
  }
  if (rule === 'raw') return false;
  const unsigned = new Map(form);
  unsigned.delete('digest');
  return hmac(phpQuery(unsigned), apiKey) === digest;
}

function hmac(text: string | Uint8Array, key: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}
