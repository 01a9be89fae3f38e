import { z } from 'zod';
import { both, matching, objectName, quoting, sized, text } from './fields.ts';
import { CA_BUNDLE_KEY } from '../names.ts';
import { type Rule, withRules } from './rules.ts';

/** How an account's service is reached and trusted: fields that all kinds of accounts have. */

/** Largest bundle of certificates that is read, in characters. */
const MAX_BUNDLE = 330_000;

const PORT_AND_PATH = '(:[0-9]{1,5})?(/([A-Za-z0-9._~-]+/)*([A-Za-z0-9._~-]+)?)?$';
const HOST = '([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]{2,45}\\])';
const overTls = matching(`^https://${HOST}${PORT_AND_PATH}`);
const onLoopback = matching(`^http://(localhost|127[.]0[.]0[.]1|\\[::1\\])${PORT_AND_PATH}`);

/** A base URL; `example` shows in the message to whoever wrote another thing. */
export function endpoint(description: string, example: string): z.ZodString {
  const advice = `cannot be the endpoint: write https://, a host, perhaps a port and a path, such as ${example}, without user, query, fragment or ..; http:// is for localhost, 127.0.0.1 and [::1] only`;
  return text(description, {
    rule: `(${overTls.rule} || ${onLoopback.rule}) && !self.contains('..')`,
    holds: (value) => (overTls.holds(value) || onLoopback.holds(value)) && !value.includes('..'),
    message: advice,
    messageExpression: quoting(advice),
  });
}

/** Certificates in PEM, written into the resource itself. */
export function caBundle(description: string): z.ZodString {
  return withRules(z.string().max(MAX_BUNDLE).describe(description), {
    rule: "self.contains('-----BEGIN CERTIFICATE-----')",
    holds: (value) => value.includes('-----BEGIN CERTIFICATE-----'),
    message:
      'must hold certificates in PEM: paste the text from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, not base64 of it',
  });
}

const keyAdvice = 'cannot be a key of a Secret: write letters, digits, -, _ and ., at most 253';

const bundleSecretRef = z.object({
  name: objectName('Name of the Secret.'),
  key: text(`Key in the Secret; ${CA_BUNDLE_KEY} unless given.`, {
    ...both(sized(253), matching('^[-._A-Za-z0-9]+$')),
    message: keyAdvice,
    messageExpression: quoting(keyAdvice),
  }).exactOptional(),
});

/** Certificates in PEM, kept in a Secret. */
export function caBundleSecretRef(description: string): typeof bundleSecretRef {
  return bundleSecretRef.describe(description);
}

/** The bundle is given in one way or in none. */
export const oneCaBundle: Rule<{
  caBundle?: string | undefined;
  caBundleSecretRef?: object | undefined;
}> = {
  rule: '!(has(self.caBundle) && has(self.caBundleSecretRef))',
  holds: (spec) => spec.caBundle === undefined || spec.caBundleSecretRef === undefined,
  message: 'caBundle and caBundleSecretRef exclude each other: remove one of them',
  fieldPath: '.caBundleSecretRef',
};
