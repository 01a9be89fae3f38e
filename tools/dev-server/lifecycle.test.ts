/** Status changes, reissue and expiry. */
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startDevServer } from './index.ts';
import { TestClient } from './test-client.ts';
import type { DevServer } from './types.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);

let server: DevServer;
let client: TestClient;
let now = START;

beforeAll(async () => {
  server = await startDevServer({
    keyPool: 3,
    keyPoolReuse: true,
    otherCustomers: 0,
    sessionTtl: '3650d',
    now: () => now,
  });
  client = await TestClient.connected(server);
});

afterAll(() => server.stop());

beforeEach(() => {
  now = START;
});

/** A certificate with this status. */
async function certificateIn(status: string): Promise<number> {
  const id = await client.issue();
  if (status === 'obsolete') await client.call('cert/reissue', { cert_id: id });
  else if (status === 'expired') now += 366 * DAY;
  else await client.call('cert/status', { cert_id: id, status });
  return id;
}

describe('cert/status', () => {
  const settable = ['good', 'hold', 'revoked'];

  test.each(settable.flatMap((from) => settable.map((to) => [from, to] as const)))(
    'goes from %s to %s',
    async (from, to) => {
      const id = await certificateIn(from);
      const reply = await client.call('cert/status', { cert_id: id, status: to });
      expect([reply.status, reply.text]).toEqual([200, '{}']);
      expect(await client.status(id)).toBe(to);
    },
  );

  test.each(['expired', 'obsolete'].flatMap((from) => settable.map((to) => [from, to] as const)))(
    'does not go from %s to %s',
    async (from, to) => {
      const id = await certificateIn(from);
      const reply = await client.call('cert/status', { cert_id: id, status: to });
      expect([reply.status, reply.json]).toEqual([
        400,
        expect.objectContaining({ code: 'StatusDisallowed' }),
      ]);
      expect(await client.status(id)).toBe(from);
    },
  );

  test.each(['expired', 'obsolete', 'x'])('cannot be asked for %s', async (status) => {
    const reply = await client.call('cert/status', { cert_id: await client.issue(), status });
    expect(reply.json).toMatchObject({ code: 'InputFailure', text: expect.stringContaining("'status'") });
  });
});

describe('cert/reissue', () => {
  test('gives a new id with the same key and values, valid for a year from now', async () => {
    const old = await client.issue({ 'SANs[1][IP]': '::1' });
    const [oldKey, oldLeaf] = [await client.pem(old, 'key.dec'), await client.pem(old, 'cert')];
    now += 30 * DAY;
    const reply = await client.call('cert/reissue', { cert_id: old });
    const { cert_id: id } = reply.json as { cert_id: number };
    expect(id).toBeGreaterThan(old);
    expect(await client.pem(id, 'key.dec')).toBe(oldKey);
    const [before, after] = [new X509Certificate(oldLeaf), new X509Certificate(await client.pem(id, 'cert'))];
    expect(after.subject).toBe(before.subject);
    expect(after.subjectAltName).toBe(before.subjectAltName);
    expect(after.validFromDate.getTime()).toBe(now);
    expect(after.validToDate.getTime()).toBe(now + 365 * DAY);
    expect(Number.parseInt(after.serialNumber, 16)).toBe(id);
    const views = server.certificates();
    expect(views.find((view) => view.id === id)).toMatchObject({ previousId: old, status: 'good' });
    expect(views.find((view) => view.id === old)).toMatchObject({ replacedBy: id, status: 'obsolete' });
  });

  test.each([
    ['good', 'obsolete'],
    ['hold', 'obsolete'],
    ['expired', 'expired'],
    ['revoked', 'revoked'],
  ])('of a %s one leaves it %s, and it cannot be reissued again', async (from, left) => {
    const id = await certificateIn(from);
    expect((await client.call('cert/reissue', { cert_id: id })).status).toBe(200);
    expect(await client.status(id)).toBe(left);
    const again = await client.call('cert/reissue', { cert_id: id });
    expect([again.status, again.json]).toEqual([400, expect.objectContaining({ code: 'NotLatest' })]);
  });

  test('of an obsolete one: no list has it, but its details and parts still exist', async () => {
    const id = await certificateIn('obsolete');
    expect((await client.list(15)).map((row) => row.id)).not.toContain(id);
    expect(await client.status(id)).toBe('obsolete');
    expect(await client.pem(id, 'cert')).toContain('BEGIN CERTIFICATE');
  });
});

describe('cert/list', () => {
  test.each<[number, string[]]>([
    [1, ['expired']],
    [2, ['good']],
    [4, ['revoked']],
    [8, ['hold']],
    [14, ['good', 'revoked', 'hold']],
    [15, ['expired', 'good', 'revoked', 'hold']],
    [0, []],
  ])('%d lists %j', async (what, want) => {
    const expired = await certificateIn('expired');
    const ids = [
      { id: await certificateIn('good'), status: 'good' },
      { id: await certificateIn('revoked'), status: 'revoked' },
      { id: await certificateIn('hold'), status: 'hold' },
      { id: expired, status: 'expired' },
    ];
    const rows = await client.list(what);
    const seen = ids.filter(({ id }) => rows.some((row) => row.id === id)).map(({ status }) => status);
    expect(seen.sort()).toEqual([...want].sort());
    expect(rows.filter((row) => !want.includes(row.status))).toEqual([]);
  });

  test('a row has the common name and the expiry in Unix seconds', async () => {
    const id = await client.issue();
    expect((await client.list(2)).find((row) => row.id === id)).toEqual({
      id,
      name: 'www.example.com',
      status: 'good',
      expires: START / 1000 + 365 * 86_400,
    });
  });
});

test('a validity of seconds lasts seconds, then the certificate is expired', async () => {
  await server.setOptions({ validity: '30s' });
  const id = await client.issue();
  const { validFromDate, validToDate } = new X509Certificate(await client.pem(id, 'cert'));
  expect(validToDate.getTime() - validFromDate.getTime()).toBe(30_000);
  now += 29_999;
  expect(await client.status(id)).toBe('good');
  now += 1;
  expect(await client.status(id)).toBe('expired');
  await server.setOptions({ validity: '365d' });
});

test('a revoked certificate stays revoked after its lifetime, and can then not become good', async () => {
  const id = await certificateIn('revoked');
  now += 366 * DAY;
  expect(await client.status(id)).toBe('revoked');
  const reply = await client.call('cert/status', { cert_id: id, status: 'good' });
  expect(reply.json).toMatchObject({ code: 'StatusDisallowed' });
});

test('other customers take ids in between, and their certificates are denied to us', async () => {
  await server.setOptions({ otherCustomers: 2 });
  const ids = [await client.issue(), await client.issue(), await client.issue(), await client.issue()];
  await server.setOptions({ otherCustomers: 0 });
  const [first = 0] = ids;
  expect(ids.map((id) => id - first)).toEqual([0, 2, 3, 5]);
  const others = server.certificates().filter((view) => view.origin === 'other-customer');
  expect(others.map((view) => view.id - first)).toEqual([1, 4]);
  expect(others[0]?.account).toBe(server.otherAccount.email);
  for (const call of ['cert/details', 'cert/reissue']) {
    const reply = await client.call(call, { cert_id: first + 1 });
    expect([reply.status, reply.json]).toEqual([403, expect.objectContaining({ code: 'AccessDenied' })]);
  }
  const owner = new TestClient({ ...server, ...server.otherAccount });
  await owner.connect();
  const parts = await owner.pem(first + 1, 'chain');
  expect(new X509Certificate(parts).serialNumber).toBe((first + 1).toString(16).toUpperCase());
});
