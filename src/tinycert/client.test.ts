import { describe, expect, test } from 'vitest';
import { closeAfterEach } from '../http/test-client.ts';
import { signForm } from './signing.ts';
import { answering, credentials } from './test-client.ts';
import type { CreateCertificateInput, TinyCertClient } from './types.ts';

closeAfterEach();

const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const newCertificate: CreateCertificateInput = {
  authorityId: 5,
  subject: { commonName: '*.example.com', country: 'NL', organization: 'Café & Söhne' },
};

interface Case {
  method: string;
  call: string;
  invoke: (client: TinyCertClient) => Promise<unknown>;
  body: unknown;
  sent: Record<string, string>;
  result: unknown;
}

const cases: Case[] = [
  {
    method: 'listAuthorities',
    call: 'ca/list',
    invoke: (client) => client.listAuthorities(),
    body: [
      { id: 123, name: 'ACME, Inc.' },
      { id: '7', name: null },
    ],
    sent: {},
    result: [
      { id: 123, name: 'ACME, Inc.' },
      { id: 7, name: '' },
    ],
  },
  {
    method: 'getAuthority',
    call: 'ca/details',
    invoke: (client) => client.getAuthority(123),
    body: {
      id: 123,
      C: 'NL',
      ST: 'Limburg',
      L: 'Maastricht',
      O: 'ACME, Inc.',
      OU: 'Secure Digital Certificate Signing',
      CN: 'ACME, Inc. CA',
      E: 'someone@example.com',
      hash_alg: 'SHA256',
    },
    sent: { ca_id: '123' },
    result: {
      id: 123,
      subject: {
        country: 'NL',
        province: 'Limburg',
        locality: 'Maastricht',
        organization: 'ACME, Inc.',
        organizationalUnit: 'Secure Digital Certificate Signing',
        commonName: 'ACME, Inc. CA',
      },
      email: 'someone@example.com',
      hashAlgorithm: 'sha256',
    },
  },
  {
    method: 'getAuthorityCertificate',
    call: 'ca/get',
    invoke: (client) => client.getAuthorityCertificate(123),
    body: { pem },
    sent: { ca_id: '123', what: 'cert' },
    result: pem,
  },
  {
    method: 'createAuthority',
    call: 'ca/new',
    invoke: (client) =>
      client.createAuthority({ country: 'US', organization: 'ACME', locality: '', hashAlgorithm: 'sha256' }),
    body: { ca_id: '124' },
    sent: { C: 'US', O: 'ACME', hash_method: 'sha256' },
    result: 124,
  },
  {
    method: 'deleteAuthority',
    call: 'ca/delete',
    invoke: (client) => client.deleteAuthority(124),
    body: {},
    sent: { ca_id: '124' },
    result: undefined,
  },
  {
    method: 'listCertificates',
    call: 'cert/list',
    invoke: (client) => client.listCertificates(5, ['good', 'revoked', 'hold']),
    body: [{ id: 123, name: 'example.com', status: 'good', expires: 987654321 }],
    sent: { ca_id: '5', what: '14' },
    result: [{ id: 123, commonName: 'example.com', status: 'good', expires: 987654321 }],
  },
  {
    method: 'getCertificateDetails',
    call: 'cert/details',
    invoke: (client) => client.getCertificateDetails(9),
    body: {
      id: 9,
      status: 'obsolete',
      C: 'NL',
      O: 'ACME, Inc.',
      CN: 'www.example.com',
      Alt: [{ DNS: 'www.example.com' }, { IP: '127.0.0.1' }, { email: 'a@b.example' }, { URI: 'urn:x' }],
    },
    sent: { cert_id: '9' },
    result: {
      id: 9,
      status: 'obsolete',
      subject: { country: 'NL', organization: 'ACME, Inc.', commonName: 'www.example.com' },
      alternativeNames: [
        { type: 'DNS', value: 'www.example.com' },
        { type: 'IP', value: '127.0.0.1' },
        { type: 'email', value: 'a@b.example' },
        { type: 'URI', value: 'urn:x' },
      ],
      otherNames: [],
    },
  },
  {
    method: 'getCertificate',
    call: 'cert/get',
    invoke: (client) => client.getCertificate(9, 'key.dec'),
    body: { pem },
    sent: { cert_id: '9', what: 'key.dec' },
    result: pem,
  },
  {
    method: 'getCertificate of an archive',
    call: 'cert/get',
    invoke: (client) => client.getCertificate(9, 'pkcs12'),
    body: { pkcs12: 'MIIK\r\n/+8=\r\n' },
    sent: { cert_id: '9', what: 'pkcs12' },
    result: Buffer.from('30820affef', 'hex'),
  },
  {
    method: 'createCertificate',
    call: 'cert/new',
    invoke: (client) =>
      client.createCertificate({
        ...newCertificate,
        subject: {
          ...newCertificate.subject,
          organizationalUnit: 'IT',
          locality: 'Maastricht',
          province: '',
        },
        alternativeNames: [
          { type: 'DNS', value: '*.example.com' },
          { type: 'IP', value: '::1' },
        ],
      }),
    body: { cert_id: 14236 },
    sent: {
      C: 'NL',
      CN: '*.example.com',
      L: 'Maastricht',
      O: 'Café & Söhne',
      OU: 'IT',
      'SANs[0][DNS]': '*.example.com',
      'SANs[1][IP]': '::1',
      ca_id: '5',
    },
    result: 14236,
  },
  {
    method: 'reissueCertificate',
    call: 'cert/reissue',
    invoke: (client) => client.reissueCertificate(9),
    body: { cert_id: 10 },
    sent: { cert_id: '9' },
    result: 10,
  },
  {
    method: 'setCertificateStatus',
    call: 'cert/status',
    invoke: (client) => client.setCertificateStatus(9, 'hold'),
    body: {},
    sent: { cert_id: '9', status: 'hold' },
    result: undefined,
  },
];

describe('a call', () => {
  test.each(cases)('$method posts a signed form to $call and reads the answer', async (given) => {
    const { server, client } = await answering(given.body);

    const result = await given.invoke(client);

    expect(result).toEqual(given.result);
    const [login, request] = server.requests;
    expect(login?.call).toBe('connect');
    expect(request?.call).toBe(given.call);
    const { digest, ...form } = Object.fromEntries(request?.form ?? []);
    expect(form).toEqual({ ...given.sent, token: 'token-1' });
    expect(request?.body.endsWith(`&digest=${digest}`)).toBe(true);
    expect(request?.head).toMatch(/^POST \/api\/v1\/.* HTTP\/1\.1\r\n/);
    expect(request?.head).toMatch(/\r\ncontent-type: application\/x-www-form-urlencoded\r\n/);
  });

  test('connect sends e-mail and passphrase, signed, and no token', async () => {
    const { server, client } = await answering([]);

    await client.connect();

    expect(server.requests[0]?.body).toBe(
      signForm({ email: credentials.email, passphrase: credentials.passphrase }, credentials.apiKey),
    );
  });

  test('disconnect sends the token, and a second one sends nothing', async () => {
    const { server, client } = await answering({});
    await client.connect();

    await client.disconnect();
    await client.disconnect();

    expect(server.calls).toEqual(['connect', 'disconnect']);
    expect(server.requests[1]?.body).toBe(signForm({ token: 'token-1' }, credentials.apiKey));
  });

  test.each([
    ['an empty body', ''],
    ['an empty object', '{}'],
    ['an empty array', '[]'],
    ['an object', '{"success":true}'],
    ['true', 'true'],
    ['something else', '<ok/>'],
  ])('without a result succeeds on a 200 with %s', async (_name, body) => {
    const { client } = await answering(body);

    await expect(client.setCertificateStatus(9, 'good')).resolves.toBeUndefined();
    await expect(client.deleteAuthority(5)).resolves.toBeUndefined();
    await expect(client.disconnect()).resolves.toBeUndefined();
  });

  test.each([
    '<!DOCTYPE html><title>Sign in</title>',
    '\ufeff\n<html lang="en">',
    '<HTML>',
    '{"success":',
    '\ufeff [{"id":',
    '"don',
    '{"code":"UnknownError","text":"no"}',
  ])('without a result does not take the 200 with %j for a success', async (body) => {
    const { client } = await answering(body);
    const expected = { code: 'ProtocolError', status: 200, maybeExecuted: true };

    await expect(client.setCertificateStatus(9, 'revoked')).rejects.toMatchObject(expected);
    await expect(client.deleteAuthority(5)).rejects.toMatchObject(expected);
  });
});
