import { describe, expect, test } from 'vitest';
import { closeAfterEach } from '../http/test-client.ts';
import { createTinyCertClient } from './client.ts';
import { createTinyCertSession } from './session.ts';
import { answering, credentials } from './test-client.ts';
import type { AlternativeName, CreateCertificateInput, TinyCertClient } from './types.ts';

closeAfterEach();

const newCertificate: CreateCertificateInput = {
  authorityId: 5,
  subject: { commonName: '*.example.com', country: 'NL', organization: 'Café & Söhne' },
};

describe('an input that cannot be sent', () => {
  const name = (type: string, value: string): AlternativeName => ({ type, value }) as AlternativeName;
  test.each<[string, (client: TinyCertClient) => Promise<unknown>]>([
    ['an id of zero', (client) => client.getCertificateDetails(0)],
    ['a fractional id', (client) => client.reissueCertificate(1.5)],
    ['no id', (client) => client.deleteAuthority(Number.NaN)],
    ['an unknown item', (client) => client.getCertificate(9, 'everything' as 'cert')],
    ['an unknown status', (client) => client.setCertificateStatus(9, 'obsolete' as 'good')],
    ['an empty filter', (client) => client.listCertificates(5, [])],
    ['a mask out of range', (client) => client.listCertificates(5, 16)],
    [
      'a country that is none',
      (c) => c.createAuthority({ country: 'Holland', organization: 'x', hashAlgorithm: 'sha1' }),
    ],
    [
      'an empty organization',
      (c) => c.createAuthority({ country: 'NL', organization: '', hashAlgorithm: 'sha1' }),
    ],
    [
      'no common name',
      (c) =>
        c.createCertificate({ ...newCertificate, subject: { ...newCertificate.subject, commonName: '' } }),
    ],
    ['an empty name', (c) => c.createCertificate({ ...newCertificate, alternativeNames: [name('DNS', '')] })],
    [
      'a name of unknown type',
      (c) => c.createCertificate({ ...newCertificate, alternativeNames: [name('dns', 'a')] }),
    ],
  ])('is refused before anything is sent: %s', async (_name, invoke) => {
    const { server, client } = await answering({});

    await expect(invoke(client)).rejects.toMatchObject({
      code: 'InvalidInput',
      kind: 'input',
      maybeExecuted: false,
    });
    expect(server.calls).toEqual([]);
  });
});

describe('options', () => {
  const good = { credentials, endpoint: 'https://ca.example/', env: {} };
  test.each([
    ['no e-mail', { ...good, credentials: { ...credentials, email: '' } }],
    ['no passphrase', { ...good, credentials: { ...credentials, passphrase: '' } }],
    ['no API key', { ...good, credentials: { ...credentials, apiKey: '' } }],
    ['no connections', { ...good, connections: 0 }],
    ['no time', { ...good, deadlineMs: 0 }],
    ['a line break in the user agent', { ...good, userAgent: 'a\r\nb' }],
    ['an endpoint without TLS', { ...good, endpoint: 'http://ca.example/' }],
    ['a CA bundle without a certificate', { ...good, ca: 'none' }],
    ['a proxy that is not a URL', { ...good, env: { HTTPS_PROXY: 'http://' } }],
    [
      "another account's session",
      { ...good, session: createTinyCertSession({ ...good, endpoint: 'https://b/' }) },
    ],
  ])('with %s are refused', (_name, options) => {
    expect(() => createTinyCertClient(options)).toThrow(expect.objectContaining({ code: 'InvalidOptions' }));
  });

  test('alone open no connection', async () => {
    const { server } = await answering({});
    const client = createTinyCertClient({ endpoint: server.endpoint, credentials, allowLoopbackHttp: true });
    await client.close({ disconnect: true });

    expect(server.bytes).toEqual([]);
  });
});
