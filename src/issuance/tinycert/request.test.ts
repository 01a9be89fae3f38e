import { expect, test } from 'vitest';
import { type Request, requestHash } from './request.ts';

const names = {
  commonName: 'www.example.com',
  dns: ['www.example.com', 'a.example.com'],
  ip: [],
  uri: [],
  email: [],
};
const request: Request = { authorityId: 1, names, subject: { country: 'NL', organization: 'Example' } };

const same: [string, Request][] = [
  ['itself', { ...request, names: { ...names, dns: [...names.dns] } }],
  ['its names in another order', { ...request, names: { ...names, dns: [...names.dns].reverse() } }],
  ['an empty field', { ...request, subject: { ...request.subject, locality: '' } }],
];
const other: [string, Request][] = [
  ['another authority', { ...request, authorityId: 2 }],
  ['another subject', { ...request, subject: { country: 'BE', organization: 'Example' } }],
  ['a name more', { ...request, names: { ...names, uri: ['spiffe://x'] } }],
  ['another common name', { ...request, names: { ...names, commonName: 'a.example.com' } }],
];

test.each(same)('a request is the same as %s', (_, twin) => {
  expect(requestHash(twin)).toBe(requestHash(request));
});

test.each(other)('a request is not the same as one with %s', (_, stranger) => {
  expect(requestHash(stranger)).not.toBe(requestHash(request));
});
