import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SettableStatus, TinyCertClient } from '../../src/tinycert/index.ts';
import { type DevServer, startDevServer } from '../../tools/dev-server/index.ts';
import { aClient, aService, openssl, pemCertificates, webServer } from '../support/world/tinycert-service.ts';

const DAY = 86_400_000;

/** Every character that escaping could get wrong. */
const passphrase = 'pass  phrase ~*!\'()&=%+/?#[]"\\<> Zoë €';

let service: DevServer;
let wallClock = Date.UTC(2026, 0, 1);
beforeAll(async () => {
  service = await startDevServer({ passphrase, now: () => wallClock });
});
afterAll(() => service.stop());

describe('authorities', () => {
  test('are made, listed, shown and fetched', async () => {
    const client = aClient(service);
    const id = await client.createAuthority({
      country: 'NL',
      organization: 'ACME & Söhne * Ltd.',
      locality: 'Maastricht',
      province: 'Limburg',
      hashAlgorithm: 'sha256',
    });

    expect(await client.listAuthorities()).toEqual(
      expect.arrayContaining([
        { id: service.authorityId, name: 'Example Org' },
        { id, name: 'ACME & Söhne * Ltd.' },
      ]),
    );
    expect(await client.getAuthority(id)).toEqual({
      id,
      subject: {
        country: 'NL',
        province: 'Limburg',
        locality: 'Maastricht',
        organization: 'ACME & Söhne * Ltd.',
        organizationalUnit: 'Secure Digital Certificate Signing',
        commonName: 'ACME & Söhne * Ltd. CA',
      },
      email: service.email,
      hashAlgorithm: 'sha256',
    });
    const certificate = new X509Certificate(await client.getAuthorityCertificate(id));
    expect([certificate.ca, certificate.serialNumber]).toEqual([true, '0']);
    expect(certificate.subject).toBe(certificate.issuer);
    expect(certificate.toLegacyObject().subject.CN).toBe('ACME & Söhne * Ltd. CA');
  });

  test('can sign with SHA-1', async () => {
    const client = aClient(service);
    const id = await client.createAuthority({ country: 'US', organization: 'Old', hashAlgorithm: 'sha1' });

    expect(await client.getAuthority(id)).toMatchObject({ hashAlgorithm: 'sha1' });
    const text = await openssl(['x509', '-noout', '-text'], await client.getAuthorityCertificate(id));
    expect(text).toContain('Signature Algorithm: sha1WithRSAEncryption');
  });

  test('are deleted with all their certificates', async () => {
    const client = aClient(service);
    const input = { country: 'NL', organization: 'Brief', hashAlgorithm: 'sha256' } as const;
    const authorityId = await client.createAuthority(input);
    const certificateId = await client.createCertificate(webServer({ authorityId }));
    const before = await client.listAuthorities();

    await client.deleteAuthority(authorityId);

    expect(await client.listAuthorities()).toEqual(before.filter(({ id }) => id !== authorityId));
    await expect(client.getAuthority(authorityId)).rejects.toMatchObject({ code: 'NotFound' });
    await expect(client.getCertificateDetails(certificateId)).rejects.toMatchObject({ code: 'NotFound' });
    expect(service.certificates().filter(({ caId }) => caId === authorityId)).toEqual([]);
  });

  test.each(['null', 'empty', 'absent'] as const)('omit parts that come as %s', async (emptyFields) => {
    await service.setOptions({ emptyFields });
    const client = aClient(service);
    const id = await client.createCertificate(webServer(service));

    expect((await client.getAuthority(service.authorityId)).subject).toEqual({
      country: 'US',
      organization: 'Example Org',
      organizationalUnit: 'Secure Digital Certificate Signing',
      commonName: 'Example Org CA',
    });
    expect((await client.getCertificateDetails(id)).subject).toEqual({
      country: 'NL',
      organization: 'ACME, Inc.',
      commonName: 'www.example.com',
    });
  });
});

describe('a certificate', () => {
  test('is issued for the subject and exactly the requested names', async () => {
    const client = aClient(service);
    const subject = {
      commonName: '*.example.com',
      country: 'NL',
      organization: 'ACME, Inc.',
      organizationalUnit: 'IT Department',
      locality: 'Maastricht',
      province: 'Limburg',
    };
    const alternativeNames = [
      { type: 'URI', value: 'https://example.org/?a=b&c=%20+d' },
      { type: 'DNS', value: 'example.com' },
      { type: 'IP', value: '2001:db8::1' },
      { type: 'email', value: 'user+tag@example.com' },
      { type: 'IP', value: '192.0.2.1' },
    ] as const;

    const id = await client.createCertificate({
      authorityId: service.authorityId,
      subject,
      alternativeNames,
    });

    expect(await client.getCertificateDetails(id)).toEqual({
      id,
      status: 'good',
      subject,
      alternativeNames,
      otherNames: [],
    });
    const leaf = new X509Certificate(await client.getCertificate(id, 'cert'));
    expect(Object.entries(leaf.toLegacyObject().subject)).toEqual([
      ['C', 'NL'],
      ['ST', 'Limburg'],
      ['L', 'Maastricht'],
      ['O', 'ACME, Inc.'],
      ['OU', 'IT Department'],
      ['CN', '*.example.com'],
    ]);
    expect(leaf.subjectAltName?.split(', ')).toEqual([
      'URI:https://example.org/?a=b&c=%20+d',
      'DNS:example.com',
      'IP Address:2001:DB8:0:0:0:0:0:1',
      'email:user+tag@example.com',
      'IP Address:192.0.2.1',
    ]);
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBe(365 * DAY);
  });

  test('without names has none, as the common name is not copied', async () => {
    const client = aClient(service);
    const id = await client.createCertificate(webServer(service, { alternativeNames: [] }));

    expect(await client.getCertificateDetails(id)).toMatchObject({ alternativeNames: [], otherNames: [] });
    expect(new X509Certificate(await client.getCertificate(id, 'cert')).subjectAltName).toBeUndefined();
  });

  test('has a chain of itself, then its authority', async () => {
    const client = aClient(service);
    const id = await client.createCertificate(webServer(service));
    const [leaf, root] = await Promise.all([
      client.getCertificate(id, 'cert'),
      client.getAuthorityCertificate(service.authorityId),
    ]);

    expect(await client.getCertificate(id, 'chain')).toBe(leaf + root);
    expect(new X509Certificate(leaf).verify(new X509Certificate(root).publicKey)).toBe(true);
  });

  test('has one key, plain, encrypted under the passphrase, and in the signing request', async () => {
    const client = aClient(service);
    const id = await client.createCertificate(webServer(service));
    const plain = await client.getCertificate(id, 'key.dec');
    const encrypted = await client.getCertificate(id, 'key.enc');
    const request = await client.getCertificate(id, 'csr');
    const leaf = new X509Certificate(await client.getCertificate(id, 'cert'));

    expect(plain).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(leaf.checkPrivateKey(createPrivateKey(plain))).toBe(true);
    expect(encrypted).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    const opened = await openssl(['pkey', '-passin', 'env:PASSPHRASE'], encrypted, passphrase);
    expect(opened).toBe(plain);
    await expect(openssl(['pkey', '-passin', 'env:PASSPHRASE'], encrypted, 'another')).rejects.toThrow(
      'openssl pkey',
    );
    const requested = await openssl(['req', '-verify', '-noout', '-pubkey'], request);
    expect(requested).toBe(leaf.publicKey.export({ type: 'spki', format: 'pem' }));
  });

  test('has a PKCS#12 archive that the passphrase opens', async () => {
    const client = aClient(service);
    const id = await client.createCertificate(webServer(service));
    const archive = await client.getCertificate(id, 'pkcs12');
    const open = (...args: string[]): Promise<string> =>
      openssl(['pkcs12', '-noenc', '-passin', 'env:PASSPHRASE', ...args], archive, passphrase);

    const certificates = pemCertificates(await open('-nokeys'));
    const key = createPrivateKey(await open('-nocerts'));

    expect(certificates.join('')).toBe(await client.getCertificate(id, 'chain'));
    expect(key.export({ type: 'pkcs8', format: 'pem' })).toBe(await client.getCertificate(id, 'key.dec'));
    const wrong = openssl(['pkcs12', '-noenc', '-passin', 'env:PASSPHRASE'], archive, 'another');
    await expect(wrong).rejects.toThrow('Mac verify error');
  });

  test('is reissued with the same key and values for another year, and its old id leaves the list', async () => {
    const client = aClient(service);
    const first = await client.createCertificate(webServer(service));
    const before = new X509Certificate(await client.getCertificate(first, 'cert'));
    wallClock += 100 * DAY;

    const second = await client.reissueCertificate(first);

    const after = new X509Certificate(await client.getCertificate(second, 'cert'));
    expect(second).toBeGreaterThan(first);
    expect(after.publicKey.equals(before.publicKey)).toBe(true);
    expect(after.subject).toBe(before.subject);
    expect(after.subjectAltName).toBe(before.subjectAltName);
    expect(after.validToDate.getTime() - before.validToDate.getTime()).toBe(100 * DAY);
    expect(await client.getCertificate(second, 'key.dec')).toBe(
      await client.getCertificate(first, 'key.dec'),
    );
    expect(await client.getCertificateDetails(first)).toMatchObject({ status: 'obsolete' });
    expect(await client.getCertificateDetails(second)).toMatchObject({ status: 'good' });
    const listed = (await client.listCertificates(service.authorityId)).map(({ id }) => id);
    expect(listed).toContain(second);
    expect(listed).not.toContain(first);
  });

  test('gets a new key with every issue', async () => {
    const client = aClient(service);
    const keys = await Promise.all(
      [1, 2].map(async () => {
        const id = await client.createCertificate(webServer(service));
        return createPublicKey(await client.getCertificate(id, 'key.dec'));
      }),
    );

    expect(keys[0]?.equals(keys[1] ?? keys[0])).toBe(false);
  });

  test('that has expired reports it, and continues under a new id', async () => {
    const client = aClient(service);
    const id = await client.createCertificate(webServer(service));
    wallClock += 365 * DAY;

    expect(await client.getCertificateDetails(id)).toMatchObject({ status: 'expired' });
    const expired = await client.listCertificates(service.authorityId, ['expired']);
    expect(expired).toContainEqual(expect.objectContaining({ id, expires: wallClock / 1000 }));
    const next = await client.reissueCertificate(id);
    expect(await client.getCertificateDetails(next)).toMatchObject({ status: 'good' });
  });
});

const settable = ['good', 'hold', 'revoked'] as const;

describe('the status of a certificate', () => {
  const changes = settable.flatMap((from) =>
    settable.map((to): [SettableStatus, SettableStatus] => [from, to]),
  );

  test.each(changes)('goes from %s to %s, in details and in the list', async (from, to) => {
    const client = aClient(service);
    const { id } = await service.issueByHand({ cn: 'status.example.com' });
    service.setStatusByHand(id, from);
    expect(await whereListed(client, id)).toEqual([from]);

    await client.setCertificateStatus(id, to);

    expect(await client.getCertificateDetails(id)).toMatchObject({ status: to });
    expect(await whereListed(client, id)).toEqual([to]);
  });

  test.each(['', '{}', '[]', 'true', 'null', '{"success":true}'])(
    'is set, and an authority deleted, whatever the body of the success is: %j',
    async (successBody) => {
      const other = await aService({ successBody });
      const client = aClient(other);
      const { id } = await other.issueByHand({ cn: 'status.example.com' });

      await client.setCertificateStatus(id, 'hold');
      expect(other.certificates()).toMatchObject([{ id, status: 'hold' }]);
      await client.deleteAuthority(other.authorityId);
      expect(other.certificates()).toEqual([]);
      await client.disconnect();
      expect(other.counts().sessions).toBe(0);
    },
  );

  /** The filters under which a certificate is listed. */
  async function whereListed(client: TinyCertClient, id: number): Promise<string[]> {
    const found: string[] = [];
    for (const status of ['expired', ...settable] as const) {
      const entries = await client.listCertificates(service.authorityId, [status]);
      for (const entry of entries) if (entry.id === id) found.push(entry.status);
    }
    return found;
  }
});

describe('the list of certificates', () => {
  test('is the same as a whole, as a stream, and in the service', async () => {
    const other = await aService({ keyPool: 1, keyPoolReuse: true });
    const client = aClient(other);
    for (let at = 0; at < 300; at += 1) await other.issueByHand({ cn: `Nº ${at} "[{\\}]", *.example.com` });
    const streamed: unknown[] = [];

    const count = await client.streamCertificates(other.authorityId, undefined, (entry) => {
      streamed.push(entry);
    });

    const kept = other.certificates().filter(({ caId }) => caId === other.authorityId);
    expect(count).toBe(300);
    expect(streamed).toEqual(
      kept.map(({ id, cn, status, notAfter }) => ({ id, commonName: cn, status, expires: notAfter })),
    );
    expect(await client.listCertificates(other.authorityId)).toEqual(streamed);
  });

  test('delivers entries before the rest has come', async () => {
    const other = await aService({ keyPool: 1, keyPoolReuse: true });
    const client = aClient(other);
    const ids: number[] = [];
    for (let at = 0; at < 3; at += 1) ids.push((await other.issueByHand({ cn: 'a.example.com' })).id);
    // Two entries of about 70 bytes, and an hour until the next bytes.
    other.addFault({ call: 'cert/list', kind: 'trickle', bytes: 180, ms: 3_600_000 });
    const giveUp = new AbortController();
    const seen: number[] = [];

    const call = client.streamCertificates(
      other.authorityId,
      undefined,
      ({ id }) => {
        seen.push(id);
        if (seen.length === 2) giveUp.abort();
      },
      { signal: giveUp.signal },
    );

    await expect(call).rejects.toMatchObject({ code: 'Aborted', call: 'cert/list' });
    expect(seen).toEqual(ids.slice(0, 2));
  });

  test('that breaks off rejects, although entries were delivered', async () => {
    const other = await aService({ keyPool: 1, keyPoolReuse: true });
    const client = aClient(other);
    for (let at = 0; at < 3; at += 1) await other.issueByHand({ cn: 'a.example.com' });
    other.addFault({ call: 'cert/list', kind: 'truncated', bytes: 180 });
    const seen: number[] = [];

    const call = client.streamCertificates(other.authorityId, undefined, ({ id }) => seen.push(id));

    await expect(call).rejects.toMatchObject({ code: 'ConnectionLost', status: 200 });
    expect(seen).toHaveLength(2);
  });

  test('of a new authority is empty', async () => {
    const client = aClient(await aService());
    const [authority] = await client.listAuthorities();

    expect(await client.listCertificates(authority?.id ?? 0)).toEqual([]);
  });
});
