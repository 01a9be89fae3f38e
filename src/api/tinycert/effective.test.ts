import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { effectiveNames, effectiveSubject, type NamesSpec, specHash } from './effective.ts';

const long = `${'a'.repeat(60)}.example.com`;

describe('the common name', () => {
  test.each<[string, NamesSpec, string]>([
    ['the one given', { commonName: 'Alice', dnsNames: ['a.example.com'] }, 'Alice'],
    [
      'the first DNS name',
      { dnsNames: ['B.example.com', 'a.example.com'], ipAddresses: ['::1'] },
      'b.example.com',
    ],
    ['the first DNS name that fits', { dnsNames: [long, 'a.example.com'] }, 'a.example.com'],
    ['the first IP address', { dnsNames: [long], ipAddresses: ['2001:DB8::0:1', '::1'] }, '2001:db8::1'],
    ['the first e-mail address', { emailAddresses: ['Me@Example.com', 'you@example.com'] }, 'Me@example.com'],
    ['the first e-mail address that fits', { emailAddresses: [`${'a'.repeat(60)}@b.com`, 'c@d'] }, 'c@d'],
    ['empty if nothing fits', { uris: ['urn:a:b'] }, ''],
  ])('is %s', (_, spec, want) => {
    expect(effectiveNames(spec).commonName).toBe(want);
  });

  test.each<[string, NamesSpec, Partial<ReturnType<typeof effectiveNames>>]>([
    ['a host name', { commonName: 'A.example.com', dnsNames: ['b'] }, { dns: ['a.example.com', 'b'] }],
    ['a wildcard', { commonName: '*.example.com' }, { dns: ['*.example.com'] }],
    ['an IP address', { commonName: '::0', ipAddresses: ['::1'] }, { ip: ['::', '::1'], dns: [] }],
    [
      'a host name that is listed already',
      { commonName: 'b.c', dnsNames: ['a.c', 'B.c'] },
      { dns: ['a.c', 'b.c'] },
    ],
    ['a person', { commonName: 'Alice', emailAddresses: ['a@b.c'] }, { dns: [], ip: [], email: ['a@b.c'] }],
  ])('is added to the alternative names if clients check it there: %s', (_, spec, want) => {
    expect(effectiveNames(spec)).toMatchObject(want);
  });
});

describe('the hash of a spec', () => {
  const base = {
    commonName: 'www.example.com',
    dnsNames: ['a.example.com'],
    subject: { organization: 'ACME' },
  };

  test('is still that of version 1, which existing certificates have', () => {
    expect(specHash(base)).toBe('v1:44c682dbb0f75e73defe0a97a6ed21089649c0a653b7138a00bf1a67ef77471a');
  });

  test.each([
    ['an explicit common name', { dnsNames: ['www.example.com', 'a.example.com'], subject: base.subject }],
    ['another case', { ...base, dnsNames: ['A.Example.com'] }],
    ['a duplicate', { ...base, dnsNames: ['a.example.com', 'WWW.example.com', 'a.example.com'] }],
    ['empty lists', { ...base, uris: [], emailAddresses: [], ipAddresses: [] }],
    ['fields that no certificate shows', { ...base, secretName: 'other', renewBefore: '720h' }],
  ])('does not change with %s', (_, spec) => {
    expect(specHash(spec)).toBe(specHash(base));
  });

  test.each([
    ['another common name', { ...base, commonName: 'a.example.com', dnsNames: ['www.example.com'] }],
    ['one more name', { ...base, ipAddresses: ['::1'] }],
    ['a name of another kind', { ...base, dnsNames: [], uris: ['a.example.com'] }],
    ['another subject', { ...base, subject: { organization: 'Acme' } }],
    ['the same text in another field', { ...base, subject: { locality: 'ACME' } }],
    ['no subject', { ...base, subject: {} }],
  ])('changes with %s', (_, spec) => {
    expect(specHash(spec)).not.toBe(specHash(base));
  });

  test('is the same for any order, case and repetition of the names', () => {
    const dns = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}[.]example[.]com$/), {
      minLength: 1,
      maxLength: 8,
    });
    const ips = fc.uniqueArray(fc.ipV6(), { maxLength: 4 });
    const shuffled = fc.tuple(dns, ips).chain(([names, addresses]) =>
      fc.record({
        names: fc.constant(names),
        addresses: fc.constant(addresses),
        mixed: fc.shuffledSubarray([...names, ...names], { minLength: names.length * 2 }),
        mixedAddresses: fc.shuffledSubarray(addresses, { minLength: addresses.length }),
        upper: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ names, addresses, mixed, mixedAddresses, upper }) => {
        const plain = { commonName: 'x.example.com', dnsNames: names, ipAddresses: addresses };
        const other = {
          commonName: 'X.example.com',
          dnsNames: upper ? mixed.map((name) => name.toUpperCase()) : mixed,
          ipAddresses: upper ? mixedAddresses.map((address) => address.toUpperCase()) : mixedAddresses,
        };

        expect(specHash(other)).toBe(specHash(plain));
      }),
    );
  });
});

describe('the subject', () => {
  const authority = { country: 'NL', organization: 'ACME', locality: 'Maastricht', commonName: 'ACME CA' };

  test.each([
    [
      'that of the authority, country and organization only',
      undefined,
      undefined,
      { country: 'NL', organization: 'ACME' },
    ],
    [
      'that of the issuer before that of the authority',
      undefined,
      { organization: 'I', locality: 'Bonn' },
      { country: 'NL', organization: 'I', locality: 'Bonn' },
    ],
    [
      'that of the spec before all others, field by field',
      { locality: 'Köln', organizationalUnit: 'IT' },
      { country: 'DE', locality: 'Bonn', province: 'NRW' },
      { country: 'DE', organization: 'ACME', locality: 'Köln', province: 'NRW', organizationalUnit: 'IT' },
    ],
  ])('is %s', (_, spec, issuer, want) => {
    expect(effectiveSubject(spec, issuer, authority)).toEqual(want);
  });

  test('has no empty fields, though TinyCert may report them for the authority', () => {
    expect(effectiveSubject(undefined, undefined, { country: '', organization: 'x' })).toEqual({
      organization: 'x',
    });
    expect(effectiveSubject(undefined, undefined, undefined)).toEqual({});
  });
});
