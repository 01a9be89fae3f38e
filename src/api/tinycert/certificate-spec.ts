import { z } from 'zod';
import { DNS_NAME } from '../../x509/names.ts';
import { parseIp } from '../../x509/ip.ts';
import { MAX_NAMES, both, matching, objectName, plainText, quoting, sized, text } from '../schema/fields.ts';
import { durationMs, oneRenewBefore, renewBefore, renewBeforePercentage } from '../schema/duration.ts';
import { EmailAddress } from '../schema/email-address.ts';
import {
  Renewal,
  Revocation,
  desiredStatus,
  secretDeletionPolicy,
  suspend,
} from '../schema/lifecycle-spec.ts';
import { type Rule, withRules } from '../schema/rules.ts';
import { Subject } from './subject.ts';

/** The longest common name that X.520 allows. */
export const MAX_COMMON_NAME = 64;

const isNoIp: Rule<string> = {
  rule: '!isIP(self)',
  holds: (value) => parseIp(value) === undefined,
  message: 'is an IP address: write it in ipAddresses',
  messageExpression: quoting('is an IP address: write it in ipAddresses'),
};

const dnsAdvice =
  'is not a DNS name: write at most 253 of a-z, 0-9, - and _ in labels of at most 63 joined by dots, without a trailing dot, international names in their xn-- form, and * only as the whole first label';
const DnsName = text(
  'A host name such as www.example.com, or a wildcard such as *.example.com.',
  {
    ...both(sized(253), matching(DNS_NAME)),
    message: dnsAdvice,
    messageExpression: quoting(dnsAdvice),
  },
  isNoIp,
);

const ipAdvice =
  'is not an IP address: write IPv4 as 192.0.2.1 or IPv6 as 2001:db8::1, without prefix length, zone or ::ffff:';
const IpAddress = text('An IPv4 or IPv6 address such as 192.0.2.1 or 2001:db8::1.', {
  rule: 'isIP(self)',
  holds: (value) => parseIp(value) !== undefined,
  message: ipAdvice,
  messageExpression: quoting(ipAdvice),
});

const uriAdvice =
  'is not an absolute URI: write a scheme, a colon and the rest, such as spiffe://example.org/web, other characters as %XX';
const Uri = text('An absolute URI such as spiffe://example.org/ns/web.', {
  ...matching("^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\\[\\]@!$&'()*+,;=%-]+$"),
  message: uriAdvice,
  messageExpression: quoting(uriAdvice),
});

const IssuerRef = z
  .object({
    kind: z
      .enum(['TinyCertIssuer', 'TinyCertClusterIssuer'])
      .describe(
        'TinyCertIssuer (the default) is looked up in the namespace of the certificate, TinyCertClusterIssuer cluster-wide.',
      )
      .default('TinyCertIssuer'),
    name: objectName('Name of the issuer.'),
  })
  .describe('The issuer that names the TinyCert account and the authority to sign with.');

const PrivateKey = z
  .object({
    rotationPolicy: z
      .enum(['Never', 'Always'])
      .describe(
        'Never (the default) renews with the same key, by TinyCert’s own reissue. Always issues a new certificate with a new key.',
      )
      .default('Never'),
  })
  .describe('What happens to the private key at renewal. TinyCert makes the key: RSA with 2048 bits.');

const names = <T extends z.ZodString>(item: T, description: string) =>
  z.array(item).max(MAX_NAMES).meta({ description, 'x-kubernetes-list-type': 'atomic' });

/** `TinyCertCertificate.spec`. */
export const CertificateSpec = withRules(
  z
    .object({
      secretName: objectName(
        'Name of the Secret, in the namespace of the certificate, that receives tls.crt, tls.key and ca.crt. It is created if it does not exist; an existing one that the operator did not make is left alone.',
      ),
      issuerRef: IssuerRef,
      commonName: text(
        'Common name (CN) of the subject, at most 64 characters. Left out, it is the first DNS name of at most 64 characters, else the first IP address, else the first e-mail address of at most 64. A host name or IP address given here is added to the alternative names too, since clients ignore the common name.',
        ...plainText(MAX_COMMON_NAME),
      ).exactOptional(),
      dnsNames: names(DnsName, 'DNS names the certificate is for, at most 100.').exactOptional(),
      ipAddresses: names(IpAddress, 'IP addresses the certificate is for, at most 100.').exactOptional(),
      uris: names(Uri, 'URIs the certificate is for, at most 100.').exactOptional(),
      emailAddresses: names(
        EmailAddress,
        'E-mail addresses the certificate is for, at most 100.',
      ).exactOptional(),
      subject: Subject.exactOptional(),
      renewBefore: renewBefore.exactOptional(),
      renewBeforePercentage: renewBeforePercentage.exactOptional(),
      privateKey: PrivateKey.exactOptional(),
      renewal: Renewal.exactOptional(),
      desiredStatus: desiredStatus.exactOptional(),
      revocation: Revocation.exactOptional(),
      secretDeletionPolicy: secretDeletionPolicy.exactOptional(),
      suspend: suspend.exactOptional(),
    })
    .describe('The certificate that is wanted.'),
  {
    rule: `has(self.commonName) || (has(self.dnsNames) && self.dnsNames.exists(n, size(n) <= ${MAX_COMMON_NAME})) || (has(self.ipAddresses) && size(self.ipAddresses) > 0) || (has(self.emailAddresses) && self.emailAddresses.exists(n, size(n) <= ${MAX_COMMON_NAME}))`,
    holds: (spec) =>
      spec.commonName !== undefined ||
      derivedCommonName(spec.dnsNames, spec.ipAddresses, spec.emailAddresses) !== undefined,
    message:
      'nothing here can serve as the common name, which TinyCert requires: set commonName, or list a DNS name of at most 64 characters, an IP address or an e-mail address of at most 64 characters',
  },
  oneRenewBefore,
);
export type CertificateSpec = z.output<typeof CertificateSpec>;

/** The common name of a spec that gives none: the first name that fits. */
export function derivedCommonName(
  dns: readonly string[] = [],
  ip: readonly string[] = [],
  email: readonly string[] = [],
): string | undefined {
  const fits = (name: string): boolean => name.length <= MAX_COMMON_NAME;
  return dns.find(fits) ?? ip[0] ?? email.find(fits);
}

/** `spec.renewBefore` in milliseconds, or undefined where the spec has none. */
export function renewBeforeMs(spec: Pick<CertificateSpec, 'renewBefore'>): number | undefined {
  return spec.renewBefore === undefined ? undefined : durationMs(spec.renewBefore);
}
