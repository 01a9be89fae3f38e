import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import { parseCertificate } from '../../src/api/parse.ts';
import { ClusterApi, refused } from '../support/world/cluster-api.ts';

let api: ClusterApi;
beforeAll(async () => {
  api = new ClusterApi();
  await api.installCrds();
});
afterAll(() => api.close());

const base = { secretName: 'web-tls', issuerRef: { name: 'ca' } };
const dns = { ...base, dnsNames: ['www.example.com'] };
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `h${i}.example.com`);
const label = (length: number): string => 'a'.repeat(length);

const notDns =
  'is not a DNS name: write labels of at most 63 letters, digits, - and _, joined by dots, at most 253 characters in all, without a trailing dot; write international names in their xn-- form, and * only as the whole first label';
const notIp =
  'is not an IP address: write IPv4 such as 192.0.2.1 or IPv6 such as 2001:db8::1, without prefix length, zone or ::ffff:';
const notUri =
  'is not an absolute URI: write a scheme, a colon and the rest, such as spiffe://example.org/web, with other characters as %XX';
const notEmail = 'is not an e-mail address: write at most 254 ASCII characters, such as name@example.com';
const notName =
  'is not the name of an object: write at most 253 lower-case letters, digits, - and ., with a letter or digit at both ends of each part between dots';
const noCommonName =
  'there is no common name, which TinyCert requires: set commonName, or add a DNS name of at most 64 characters, an IP address, or an e-mail address of at most 64 characters';
const notPlain =
  'must not begin or end with a space or contain control characters such as line breaks: remove them';
const notSized = 'must have 1 to 64 characters: shorten it or remove the field';
describe('a certificate is accepted', () => {
  test.each<[string, object]>([
    ['with a DNS name', dns],
    [
      'with a hundred of each kind of name',
      { ...base, dnsNames: names(100), uris: names(100).map((n) => `https://${n}/`) },
    ],
    ['with a wildcard', { ...base, dnsNames: ['*.example.com'] }],
    [
      'with names in capitals, with underscores and of one label',
      { ...base, dnsNames: ['WWW.Example.com', '_sip.example.com', 'localhost'] },
    ],
    [
      'with the longest DNS name beside a shorter one',
      { ...base, dnsNames: [`${label(63)}.${label(63)}.${label(63)}.${label(61)}`, 'a'] },
    ],
    ['with a common name only', { ...base, commonName: 'Zoë, Ltd. <ops>' }],
    ['with a common name of 64 characters outside the BMP', { ...base, commonName: '😀'.repeat(64) }],
    [
      'with IP addresses only',
      { ...base, ipAddresses: ['::1', '2001:DB8::1', '10.0.0.1', '64:ff9b::192.0.2.1'] },
    ],
    ['with e-mail addresses only', { ...base, emailAddresses: ["o'neil+x@mail.example.com"] }],
    [
      'with URIs beside a common name',
      { ...base, commonName: 'web', uris: ['spiffe://example.org/ns/web', 'urn:uuid:1'] },
    ],
    ['with empty lists', { ...dns, uris: [], ipAddresses: [], emailAddresses: [] }],
    [
      'with a whole subject',
      {
        ...dns,
        subject: {
          country: 'NL',
          organization: 'ACME, Inc.',
          organizationalUnit: 'IT',
          locality: 'Maastricht',
          province: 'Limburg',
        },
      },
    ],
    ['renewed five minutes before the end', { ...dns, renewBefore: '5m' }],
    ['renewed 360 days before the end', { ...dns, renewBefore: '8639h59m60s' }],
    ['renewed at a percentage', { ...dns, renewBeforePercentage: 99 }],
    [
      'of a cluster issuer, with a new key each time',
      {
        ...dns,
        issuerRef: { kind: 'TinyCertClusterIssuer', name: 'ca' },
        privateKey: { rotationPolicy: 'Always' },
      },
    ],
  ])('%s', async (_, spec) => {
    expect(await api.complaints(certificates, spec)).toEqual([]);
    expect(parseCertificate({ metadata: { name: 'x' }, spec })).toMatchObject({ ok: true });
  });
});

describe('a certificate is refused, with advice on what to write instead', () => {
  test.each<[string, object, string[]]>([
    ['no names', base, [`spec: Invalid value: ${noCommonName}`]],
    ['only URIs', { ...base, uris: ['urn:a:b'] }, [`spec: Invalid value: ${noCommonName}`]],
    [
      'only names that are too long',
      { ...base, dnsNames: [`${label(60)}.example.com`], emailAddresses: [`${label(60)}@example.com`] },
      [`spec: Invalid value: ${noCommonName}`],
    ],
    ['a trailing dot', { ...base, dnsNames: ['a.b.'] }, [refused('spec.dnsNames[0]', 'a.b.', notDns)]],
    ['a wildcard inside', { ...base, dnsNames: ['a.*.b'] }, [refused('spec.dnsNames[0]', 'a.*.b', notDns)]],
    ['half a wildcard', { ...base, dnsNames: ['al*.b.c'] }, [refused('spec.dnsNames[0]', 'al*.b.c', notDns)]],
    ['a lone star', { ...base, dnsNames: ['*'] }, [refused('spec.dnsNames[0]', '*', notDns)]],
    [
      'letters beyond ASCII',
      { ...base, dnsNames: ['bücher.example'] },
      [refused('spec.dnsNames[0]', 'bücher.example', notDns)],
    ],
    [
      'a label of 64',
      { ...dns, dnsNames: ['a', label(64)] },
      [refused('spec.dnsNames[1]', label(64), notDns)],
    ],
    ['an empty DNS name', { ...dns, dnsNames: ['a', ''] }, [refused('spec.dnsNames[1]', '', notDns)]],
    [
      'an IP address as DNS name',
      { ...base, dnsNames: ['10.0.0.1'] },
      [refused('spec.dnsNames[0]', '10.0.0.1', 'is an IP address: write it in ipAddresses')],
    ],
    [
      'a network',
      { ...base, ipAddresses: ['10.0.0.0/8'] },
      [refused('spec.ipAddresses[0]', '10.0.0.0/8', notIp)],
    ],
    [
      'a mapped address',
      { ...base, ipAddresses: ['::ffff:10.0.0.1'] },
      [refused('spec.ipAddresses[0]', '::ffff:10.0.0.1', notIp)],
    ],
    [
      'a zone',
      { ...base, ipAddresses: ['fe80::1%eth0'] },
      [refused('spec.ipAddresses[0]', 'fe80::1%eth0', notIp)],
    ],
    ['a relative URI', { ...dns, uris: ['/a'] }, [refused('spec.uris[0]', '/a', notUri)]],
    [
      'a URI with a blank',
      { ...dns, uris: ['https://a/b c'] },
      [refused('spec.uris[0]', 'https://a/b c', notUri)],
    ],
    [
      'no e-mail address',
      { ...dns, emailAddresses: ['admin'] },
      [refused('spec.emailAddresses[0]', 'admin', notEmail)],
    ],
    [
      'an e-mail address with a name',
      { ...dns, emailAddresses: ['A <a@b.c>'] },
      [refused('spec.emailAddresses[0]', 'A <a@b.c>', notEmail)],
    ],
    [
      'a common name of 65',
      { ...dns, commonName: label(65) },
      [`spec.commonName: Invalid value: "${label(65)}": ${notSized}`],
    ],
    ['an empty common name', { ...dns, commonName: '' }, [`spec.commonName: Invalid value: "": ${notSized}`]],
    [
      'a common name of two lines',
      { ...dns, commonName: 'a\nb' },
      [`spec.commonName: Invalid value: "a\\nb": ${notPlain}`],
    ],
    [
      'a country in small letters',
      { ...dns, subject: { country: 'nl' } },
      [
        refused(
          'spec.subject.country',
          'nl',
          'is not a country: write two upper-case letters of ISO 3166-1, for example "NL"',
        ),
      ],
    ],
    [
      'the operator’s mark',
      { ...dns, subject: { organizationalUnit: 'tinycert-operator:x' } },
      [
        'spec.subject.organizationalUnit: Invalid value: "tinycert-operator:x": must not begin with "tinycert-operator:", by which the operator marks its own certificates: write another text',
      ],
    ],
    ['a Secret in capitals', { ...dns, secretName: 'Web' }, [refused('spec.secretName', 'Web', notName)]],
    [
      'an issuer in another namespace',
      { ...dns, issuerRef: { name: 'other/ca' } },
      [refused('spec.issuerRef.name', 'other/ca', notName)],
    ],
    [
      'days',
      { ...dns, renewBefore: '30d' },
      [
        refused(
          'spec.renewBefore',
          '30d',
          'is not a duration: write hours, minutes and seconds, such as 720h or 1h30m',
        ),
      ],
    ],
    [
      'seconds',
      { ...dns, renewBefore: '30s' },
      [
        refused(
          'spec.renewBefore',
          '30s',
          'is too short: write at least 5m, which leaves time to retry; for certificates that live for minutes, use renewBeforePercentage',
        ),
      ],
    ],
    [
      'a year',
      { ...dns, renewBefore: '8760h' },
      [
        refused(
          'spec.renewBefore',
          '8760h',
          'is too long: write at most 8640h (360 days); a certificate lives 365 days and would be renewed without end',
        ),
      ],
    ],
    [
      'a percentage of 100',
      { ...dns, renewBeforePercentage: 100 },
      [
        'spec.renewBeforePercentage: Invalid value: 100: must be from 1 to 99: write how many percent of the lifetime are left when the certificate is renewed',
      ],
    ],
    [
      'two times to renew',
      { ...dns, renewBefore: '720h', renewBeforePercentage: 30 },
      [
        'spec.renewBeforePercentage: Invalid value: renewBefore and renewBeforePercentage cannot both be set: remove one of them',
      ],
    ],
  ])('%s', async (_, spec, want) => {
    expect(await api.complaints(certificates, spec)).toEqual(want);
    expect(parseCertificate({ metadata: { name: 'x' }, spec })).toMatchObject({ ok: false });
  });

  test.each<[string, object, string]>([
    [
      '101 names',
      { ...base, dnsNames: names(101) },
      'spec.dnsNames: Too many: 101: must have at most 100 items',
    ],
    [
      'a policy that is not offered',
      { ...dns, privateKey: { rotationPolicy: 'Sometimes' } },
      'spec.privateKey.rotationPolicy: Unsupported value: "Sometimes": supported values: "Never", "Always"',
    ],
    [
      'another kind of issuer',
      { ...dns, issuerRef: { kind: 'Issuer', name: 'ca' } },
      'spec.issuerRef.kind: Unsupported value: "Issuer": supported values: "TinyCertIssuer", "TinyCertClusterIssuer"',
    ],
    ['no Secret', { issuerRef: { name: 'ca' }, commonName: 'a' }, 'spec.secretName: Required value'],
  ])('%s, by the schema itself', async (_, spec, want) => {
    expect(await api.complaints(certificates, spec)).toContain(want);
    expect(parseCertificate({ metadata: { name: 'x' }, spec })).toMatchObject({ ok: false });
  });
});
