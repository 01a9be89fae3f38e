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

/** The longest common name that X.520 allows, in characters. */
export const MAX_COMMON_NAME = 64;

const isNoIp: Rule<string> = {
  rule: '!isIP(self)',
  holds: (value) => parseIp(value) === undefined,
  message: 'is an IP address: write it in ipAddresses',
  messageExpression: quoting('is an IP address: write it in ipAddresses'),
};

const dnsAdvice =
  'is not a DNS name: write labels of at most 63 letters, digits, - and _, joined by dots, at most 253 characters in all, without a trailing dot; write international names in their xn-- form, and * only as the whole first label';
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
  'is not an IP address: write IPv4 such as 192.0.2.1 or IPv6 such as 2001:db8::1, without prefix length, zone or ::ffff:';
const IpAddress = text('An IPv4 or IPv6 address such as 192.0.2.1 or 2001:db8::1.', {
  rule: 'isIP(self)',
  holds: (value) => parseIp(value) !== undefined,
  message: ipAdvice,
  messageExpression: quoting(ipAdvice),
});

const uriAdvice =
  'is not an absolute URI: write a scheme, a colon and the rest, such as spiffe://example.org/web, with other characters as %XX';
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
        'Kind of the issuer. TinyCertIssuer, the default, is in the namespace of the certificate; TinyCertClusterIssuer is cluster-wide.',
      )
      .default('TinyCertIssuer'),
    name: objectName('Name of the issuer.'),
  })
  .describe('Issuer to use. It names the TinyCert account and the authority that signs.');

const PrivateKey = z
  .object({
    rotationPolicy: z
      .enum(['Never', 'Always'])
      .describe(
        'Whether renewal changes the key. Never, the default, keeps it and has TinyCert reissue the certificate. Always issues a new certificate with a new key. A change of names, subject or authority always brings a new key.',
      )
      .default('Never'),
  })
  .describe('Rotation of the private key at renewal. TinyCert generates the key: RSA with 2048 bits.');

const names = <T extends z.ZodString>(item: T, description: string) =>
  z.array(item).max(MAX_NAMES).meta({ description, 'x-kubernetes-list-type': 'atomic' });

/** `TinyCertCertificate.spec`. */
export const CertificateSpec = withRules(
  z
    .object({
      secretName: objectName(
        'Name of the Secret that receives tls.crt, tls.key and ca.crt, in the namespace of the certificate. The operator creates it; a Secret of that name that it did not create is left alone.',
      ),
      issuerRef: IssuerRef,
      commonName: text(
        'Common name (CN) of the subject, at most 64 characters. A host name or IP address is added to the alternative names too, since clients ignore the common name. Default: the first DNS name of at most 64 characters, else the first IP address, else the first e-mail address of at most 64 characters.',
        ...plainText(MAX_COMMON_NAME),
      ).exactOptional(),
      dnsNames: names(DnsName, 'DNS names in the certificate, at most 100.').exactOptional(),
      ipAddresses: names(IpAddress, 'IP addresses in the certificate, at most 100.').exactOptional(),
      uris: names(Uri, 'URIs in the certificate, at most 100.').exactOptional(),
      emailAddresses: names(
        EmailAddress,
        'E-mail addresses in the certificate, at most 100.',
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
    .describe('The certificate to obtain.'),
  {
    rule: `has(self.commonName) || (has(self.dnsNames) && self.dnsNames.exists(n, size(n) <= ${MAX_COMMON_NAME})) || (has(self.ipAddresses) && size(self.ipAddresses) > 0) || (has(self.emailAddresses) && self.emailAddresses.exists(n, size(n) <= ${MAX_COMMON_NAME}))`,
    holds: (spec) =>
      spec.commonName !== undefined ||
      derivedCommonName(spec.dnsNames, spec.ipAddresses, spec.emailAddresses) !== undefined,
    message:
      'there is no common name, which TinyCert requires: set commonName, or add a DNS name of at most 64 characters, an IP address, or an e-mail address of at most 64 characters',
  },
  oneRenewBefore,
);
export type CertificateSpec = z.output<typeof CertificateSpec>;

/** The common name of a spec without `commonName`: the first name that fits; undefined if there is none. */
export function derivedCommonName(
  dns: readonly string[] = [],
  ip: readonly string[] = [],
  email: readonly string[] = [],
): string | undefined {
  const fits = (name: string): boolean => name.length <= MAX_COMMON_NAME;
  return dns.find(fits) ?? ip[0] ?? email.find(fits);
}

/** `spec.renewBefore` in milliseconds; undefined if it is not set. */
export function renewBeforeMs(spec: Pick<CertificateSpec, 'renewBefore'>): number | undefined {
  return spec.renewBefore === undefined ? undefined : durationMs(spec.renewBefore);
}
