/** How the client reads answers with status 200. */
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { closeAfterEach } from '../http/test-client.ts';
import { answering, connectTo, serve } from './test-client.ts';
import type { TinyCertClient } from './types.ts';

closeAfterEach();

const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

describe('the client', () => {
  test.each([
    ['null', null],
    ['empty', ''],
    ['absent', undefined],
  ])('reads optional parts of a name that are %s as absent', async (_name, missing) => {
    const { client } = await answering({ id: 5, C: 'NL', ST: missing, L: missing, O: 'x', E: missing });

    expect(await client.getAuthority(5)).toEqual({
      id: 5,
      subject: { country: 'NL', organization: 'x' },
      hashAlgorithm: 'unknown',
    });
  });

  test.each([
    ['null', null, []],
    ['absent', undefined, []],
    ['an empty list', [], []],
    ['in other spelling', [{ dns: 'a.example' }], [{ type: 'DNS', value: 'a.example' }]],
  ])('reads alternative names that are %s', async (_name, Alt, names) => {
    const { client } = await answering({ id: '9', status: 'good', Alt });

    expect(await client.getCertificateDetails(9)).toMatchObject({ alternativeNames: names, otherNames: [] });
  });

  test('keeps alternative names of an unknown type separately', async () => {
    const { client } = await answering({ id: 9, status: 'good', Alt: [{ dirName: 'CN=x' }, { DNS: 'a' }] });

    expect(await client.getCertificateDetails(9)).toMatchObject({
      alternativeNames: [{ type: 'DNS', value: 'a' }],
      otherNames: [{ type: 'dirName', value: 'CN=x' }],
    });
  });

  test.each([
    ['Good', 'good'],
    ['suspended', 'unknown'],
    ['', 'unknown'],
    ['__proto__', 'unknown'],
  ])('reads the status %j as %s', async (given, status) => {
    const { client } = await answering([{ id: 1, name: 'a', status: given, expires: '12' }]);

    expect(await client.listCertificates(5)).toEqual([{ id: 1, commonName: 'a', status, expires: 12 }]);
  });

  test.each([
    ['SHA1', 'sha1'],
    ['sha256', 'sha256'],
    ['SHA-256', 'sha256'],
    ['MD5', 'unknown'],
  ])('reads the hash %s as %s', async (hash_alg, hashAlgorithm) => {
    const { client } = await answering({ id: 5, hash_alg });

    expect(await client.getAuthority(5)).toMatchObject({ hashAlgorithm });
  });

  test('accepts unknown members and a byte order mark', async () => {
    const { client } = await answering('\ufeff {"cert_id": 10, "new": {"deep": [1]}}');

    expect(await client.reissueCertificate(9)).toBe(10);
  });

  test.each<[string, unknown, (client: TinyCertClient) => Promise<unknown>]>([
    ['text instead of JSON', 'ok', (client) => client.listAuthorities()],
    ['an object instead of a list', {}, (client) => client.listAuthorities()],
    ['a list instead of an object', [], (client) => client.reissueCertificate(9)],
    ['null', null, (client) => client.reissueCertificate(9)],
    ['no id', {}, (client) => client.reissueCertificate(9)],
    ['the id zero', { cert_id: 0 }, (client) => client.reissueCertificate(9)],
    ['a negative id', { cert_id: -1 }, (client) => client.reissueCertificate(9)],
    ['a fractional id', { cert_id: 1.5 }, (client) => client.reissueCertificate(9)],
    ['an id that is too large', { cert_id: 2 ** 53 }, (client) => client.reissueCertificate(9)],
    ['an id that is not a number', { cert_id: '0x1F' }, (client) => client.reissueCertificate(9)],
    ['an id that is true', { cert_id: true }, (client) => client.reissueCertificate(9)],
    ['details of another id', { id: 8, status: 'good' }, (client) => client.getCertificateDetails(9)],
    ['details of another authority', { id: 8 }, (client) => client.getAuthority(9)],
    ['names of a wrong shape', { id: 9, status: 'good', Alt: ['a'] }, (c) => c.getCertificateDetails(9)],
    [
      'a name that is no text',
      { id: 9, status: 'good', Alt: [{ DNS: 1 }] },
      (c) => c.getCertificateDetails(9),
    ],
    ['no status', { id: 9 }, (client) => client.getCertificateDetails(9)],
    ['no PEM', { pem: 'none' }, (client) => client.getCertificate(9, 'cert')],
    ['an archive instead of PEM', { pkcs12: 'MIIK' }, (client) => client.getCertificate(9, 'cert')],
    ['PEM instead of an archive', { pem }, (client) => client.getCertificate(9, 'pkcs12')],
    ['a broken archive', { pkcs12: 'MII*' }, (client) => client.getCertificate(9, 'pkcs12')],
    ['an empty archive', { pkcs12: '' }, (client) => client.getCertificate(9, 'pkcs12')],
    ['an object instead of a stream', {}, (client) => client.listCertificates(5)],
    ['null instead of a stream', null, (client) => client.listCertificates(5)],
    ['an entry without an expiry', [{ id: 1, name: 'a', status: 'good' }], (c) => c.listCertificates(5)],
    ['a cut list', '[{"id":1,"name":"a","status":"good","expires":1}', (c) => c.listCertificates(5)],
  ])('refuses %s', async (_name, body, invoke) => {
    const { client } = await answering(body);

    await expect(invoke(client)).rejects.toMatchObject({
      code: 'ProtocolError',
      kind: 'protocol',
      status: 200,
      maybeExecuted: true,
    });
  });
});

describe('the stream of a list', () => {
  test('passes entries on while the list is still arriving', async () => {
    const entry = (id: number): string => JSON.stringify({ id, name: 'a', status: 'good', expires: 1 });
    const server = await serve(({ socket }) => {
      socket.write(
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunked(`[${entry(1)},${entry(2)}`)}`,
      );
    });
    const client = connectTo(server.endpoint);
    const ids: number[] = [];
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    const count = client.streamCertificates(5, undefined, ({ id }) => {
      if (ids.push(id) === 2) resolve();
    });
    await arrived;

    server.requests[1]?.socket.write(`${chunked(`,${entry(3)}]`)}0\r\n\r\n`);

    expect(await count).toBe(3);
    expect(ids).toEqual([1, 2, 3]);
  });

  test('ends with the error that its consumer throws, and the client remains usable', async () => {
    const { client } = await answering([{ id: 1, name: 'a', status: 'good', expires: 1 }]);
    const enough = new Error('enough');

    await expect(
      client.streamCertificates(5, undefined, () => {
        throw enough;
      }),
    ).rejects.toBe(enough);
    expect(await client.listCertificates(5)).toHaveLength(1);
  });

  test('reads a list that is longer than other answers may be', async () => {
    const list = Array.from({ length: 20_000 }, (_, at) => ({
      id: at + 1,
      name: 'é'.repeat(9),
      status: 'good',
      expires: at,
    }));
    const { client } = await answering(list);

    const entries = await client.listCertificates(5);

    expect(entries).toEqual(
      list.map(({ id, name, status, expires }) => ({ id, commonName: name, status, expires })),
    );
  });

  test.each<[string, number | readonly ('expired' | 'good')[] | undefined, string]>([
    ['all', undefined, '15'],
    ['a mask', 6, '6'],
    ['names', ['expired', 'good', 'good'], '3'],
  ])('asks for %s', async (_name, filter, what) => {
    const { server, client } = await answering([]);

    await client.listCertificates(5, filter);

    expect(server.requests[1]?.form.get('what')).toBe(what);
  });
});

function chunked(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

test('any answer measures the offset of the service’s clock', async () => {
  const clock = new VirtualClock();
  const date = new Date(clock.now() + 120_000).toUTCString();
  const { endpoint } = await serve(({ socket }) =>
    socket.write(`HTTP/1.1 200 OK\r\ndate: ${date}\r\ncontent-length: 2\r\n\r\n[]`),
  );
  const client = connectTo(endpoint, { clock });
  expect(client.clockOffset()).toBeUndefined();

  await client.listAuthorities();

  expect(client.clockOffset()).toEqual({ ms: 120_500, uncertaintyMs: 500 });
});
