import { z } from 'zod';
import { both, matching, objectName, quoting, sized, text } from './fields.ts';
import { CA_BUNDLE_KEY } from '../names.ts';
import { type Rule, withRules } from './rules.ts';

/** Fields that all kinds of accounts share: how to reach the service and which certificates to trust. */

/** Longest certificate bundle that is accepted, in characters. */
const MAX_BUNDLE = 330_000;

const PORT_AND_PATH = '(:[0-9]{1,5})?(/([A-Za-z0-9._~-]+/)*([A-Za-z0-9._~-]+)?)?$';
const HOST = '([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]{2,45}\\])';
const overTls = matching(`^https://${HOST}${PORT_AND_PATH}`);
const onLoopback = matching(`^http://(localhost|127[.]0[.]0[.]1|\\[::1\\])${PORT_AND_PATH}`);

/** A base URL. The message that refuses any other text shows `example`. */
export function endpoint(description: string, example: string): z.ZodString {
  const advice = `is not an endpoint: write https://, a host and optionally a port and a path, such as ${example}, without user, query, fragment or ..; http:// works for localhost, 127.0.0.1 and [::1] only`;
  return text(description, {
    rule: `(${overTls.rule} || ${onLoopback.rule}) && !self.contains('..')`,
    holds: (value) => (overTls.holds(value) || onLoopback.holds(value)) && !value.includes('..'),
    message: advice,
    messageExpression: quoting(advice),
  });
}

/** PEM certificates in the resource itself. */
export function caBundle(description: string): z.ZodString {
  return withRules(z.string().max(MAX_BUNDLE).describe(description), {
    rule: "self.contains('-----BEGIN CERTIFICATE-----')",
    holds: (value) => value.includes('-----BEGIN CERTIFICATE-----'),
    message:
      'must contain PEM certificates: paste the text from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, without encoding it in base64 again',
  });
}

const keyAdvice = 'is not a key of a Secret: write at most 253 letters, digits, -, _ and .';

const bundleSecretRef = z.object({
  name: objectName('Name of the Secret.'),
  key: text(`Key in the Secret. Default: ${CA_BUNDLE_KEY}.`, {
    ...both(sized(253), matching('^[-._A-Za-z0-9]+$')),
    message: keyAdvice,
    messageExpression: quoting(keyAdvice),
  }).exactOptional(),
});

/** A reference to PEM certificates in a Secret. */
export function caBundleSecretRef(description: string): typeof bundleSecretRef {
  return bundleSecretRef.describe(description);
}

/** At most one of `caBundle` and `caBundleSecretRef` may be set. */
export const oneCaBundle: Rule<{
  caBundle?: string | undefined;
  caBundleSecretRef?: object | undefined;
}> = {
  rule: '!(has(self.caBundle) && has(self.caBundleSecretRef))',
  holds: (spec) => spec.caBundle === undefined || spec.caBundleSecretRef === undefined,
  message: 'caBundle and caBundleSecretRef cannot both be set: remove one of them',
  fieldPath: '.caBundleSecretRef',
};
