import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isHostName, type Names, normalCommonName, normalNames, sameNames } from './names.ts';

const none: Names = { commonName: '', dns: [], ip: [], uri: [], email: [] };

describe('a common name', () => {
  test.each([
    ['www.example.com', true],
    ['*.example.com', true],
    ['WWW.Example.com', true],
    ['localhost', true],
    ['Alice', false],
    ['Alice Liddell', false],
    ['192.0.2.1', false],
    ['*', false],
    ['www.*.com', false],
    ['alice@example.com', false],
    [`${'a.'.repeat(130)}com`, false],
  ])('%j is a host name: %s', (name, want) => {
    expect(isHostName(name)).toBe(want);
  });

  test.each([
    ['WWW.Example.COM', 'www.example.com'],
    ['www.example.com.', 'www.example.com'],
    ['2001:DB8:0::1', '2001:db8::1'],
    ['Alice', 'Alice'],
    ['Dr.', 'Dr.'],
    ['ACME, Inc.', 'ACME, Inc.'],
  ])('%j is %j in normal form', (name, want) => {
    expect(normalCommonName(name)).toBe(want);
  });
});

describe('names', () => {
  test('lose other spellings and duplicates, and keep their order', () => {
    const names = normalNames({
      commonName: 'B.example.com',
      dns: ['B.example.com', 'a.example.com.', 'b.example.com'],
      ip: ['2001:DB8::1', '2001:db8:0:0::1', '10.0.0.1'],
      uri: ['https://Example.com/A', 'https://example.com/A'],
      email: ['Info@Example.COM', 'info@example.com', 'Info@example.com'],
    });

    expect(names).toEqual({
      commonName: 'b.example.com',
      dns: ['b.example.com', 'a.example.com'],
      ip: ['2001:db8::1', '10.0.0.1'],
      uri: ['https://Example.com/A', 'https://example.com/A'],
      email: ['Info@example.com', 'info@example.com'],
    });
  });

  test('in normal form stay as they are', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('A.example.com.', '2001:DB8::', 'x@Y.', 'a@b@C', '.', '..', 'İ.com', 'ΑΣ.com'),
    );
    const list = fc.array(text, { maxLength: 5 });
    fc.assert(
      fc.property(fc.record({ commonName: text, dns: list, ip: list, uri: list, email: list }), (names) => {
        const once = normalNames(names);
        expect(normalNames(once)).toEqual(once);
      }),
    );
  });

  test.each([
    ['order', { dns: ['a', 'b'] }, { dns: ['b', 'a'] }, true],
    ['one more', { dns: ['a'] }, { dns: ['a', 'b'] }, false],
    ['another name instead', { ip: ['::1'] }, { ip: ['::2'] }, false],
    ['the kind of a name', { dns: ['a'] }, { uri: ['a'] }, false],
    ['the common name', { commonName: 'a' }, { commonName: 'b' }, false],
    ['an e-mail address', { email: ['a@b'] }, {}, false],
    ['a name of a kind that no spec can ask for', { other: ['a000'] }, {}, false],
    ['an empty list of such', { other: [] }, {}, true],
  ])('are compared correctly if they differ in %s', (_, a, b, want) => {
    expect(sameNames({ ...none, ...a }, { ...none, ...b })).toBe(want);
    expect(sameNames({ ...none, ...b }, { ...none, ...a })).toBe(want);
  });
});
