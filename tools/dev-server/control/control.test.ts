import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDevServer } from '../index.ts';
import { TestClient } from '../test-client.ts';
import type { CertificateView, DevServer, JournalEntry } from '../types.ts';

let server: DevServer;
let client: TestClient;

beforeAll(async () => {
  server = await startDevServer({ keyPool: 2, keyPoolReuse: true });
  client = await TestClient.connected(server);
});

afterAll(() => server.stop());

async function control(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: unknown }> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`${server.controlUrl}${path}`, init);
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

describe('the journal', () => {
  test('has every call in order, with ids and without secrets', async () => {
    const { json: before } = await control('GET', '/journal');
    const last = (before as JournalEntry[]).at(-1)?.seq ?? 0;
    await client.connect();
    const id = await client.issue();
    await client.call('cert/details', { cert_id: 1 });
    const { json } = await control('GET', `/journal?since=${last}`);
    expect(json).toEqual([
      expect.objectContaining({
        seq: last + 1,
        call: 'connect',
        method: 'POST',
        params: { email: server.email, passphrase: '[redacted]' },
        account: server.email,
        httpStatus: 200,
        body: 'email=dev%40example.com&passphrase=[redacted]&digest=[redacted]',
      }),
      expect.objectContaining({
        seq: last + 2,
        call: 'cert/new',
        params: expect.objectContaining({ CN: 'www.example.com', 'SANs[0][DNS]': 'www.example.com' }),
        result: { certId: id, caId: server.authorityId },
        client: expect.any(Number),
        at: expect.any(Number),
        endedAt: expect.any(Number),
      }),
      expect.objectContaining({ seq: last + 3, call: 'cert/details', httpStatus: 404, code: 'NotFound' }),
    ]);
    const text = JSON.stringify(json);
    for (const secret of [server.passphrase, server.apiKey, client.token]) expect(text).not.toContain(secret);
    expect((json as JournalEntry[])[1]?.params).not.toHaveProperty('token');
    expect((json as JournalEntry[])[1]?.params).not.toHaveProperty('digest');
  });

  test('can be cleared, and the numbers continue', async () => {
    await client.call('ca/list');
    const { seq = 0 } = server.journal().at(-1) ?? {};
    expect(await control('DELETE', '/journal')).toEqual({ status: 204, json: undefined });
    await client.call('ca/list');
    expect(server.journal().map((entry) => entry.seq)).toEqual([seq + 1]);
  });

  test('can be waited for, and the wait can be aborted', async () => {
    const waiting = server.waitForCall((entry) => entry.call === 'ca/details' && entry.httpStatus === 200);
    await client.call('ca/details', { ca_id: server.authorityId });
    expect((await waiting).result).toEqual({ caId: server.authorityId });
    const patience = new AbortController();
    const vain = server.waitForCall(() => false, patience.signal);
    patience.abort(new Error('enough'));
    await expect(vain).rejects.toThrow('enough');
  });
});

describe('a person at the web page', () => {
  test('issues, reissues, holds and revokes', async () => {
    const made = await control('POST', '/certificates', {
      cn: 'by-hand.example',
      names: [{ type: 'DNS', value: 'by-hand.example' }],
    });
    const view = made.json as CertificateView;
    expect(view).toMatchObject({
      cn: 'by-hand.example',
      origin: 'manual',
      status: 'good',
      subject: { C: 'US', O: 'Example Org', CN: 'by-hand.example' },
    });
    expect(await control('POST', `/certificates/${view.id}/status`, { status: 'hold' })).toMatchObject({
      json: { status: 'hold' },
    });
    const { json } = await control('POST', `/certificates/${view.id}/reissue`);
    const next = json as CertificateView;
    expect(next).toMatchObject({
      previousId: view.id,
      keyFingerprint: view.keyFingerprint,
      origin: 'manual',
    });
    const { json: all } = await control('GET', '/certificates');
    expect(all).toContainEqual({ ...view, status: 'obsolete', replacedBy: next.id });
    const { json: one } = await control('GET', `/certificates/${next.id}`);
    expect((one as { pem: string }).pem).toBe(await client.pem(next.id, 'cert'));
    expect(await client.status(next.id)).toBe('good');
  });

  test('may set dates in the past', async () => {
    const view = await server.issueByHand({ cn: 'old.example', notBefore: 1_000_000, notAfter: 2_000_000 });
    expect(view).toMatchObject({ status: 'expired', notBefore: 1_000_000, notAfter: 2_000_000 });
    expect((await client.list(1)).map((row) => row.id)).toContain(view.id);
  });

  test('adds and removes authorities', async () => {
    const { json } = await control('POST', '/authorities', { organization: 'ACME, Inc.', country: 'NL' });
    const { id } = json as { id: number };
    expect((await control('GET', '/authorities')).json).toContainEqual(
      expect.objectContaining({ id, name: 'ACME, Inc.', account: server.email }),
    );
    expect((await client.call('ca/list')).json).toContainEqual({ id, name: 'ACME, Inc.' });
    expect((await control('DELETE', `/authorities/${id}`)).status).toBe(204);
    expect((await control('DELETE', `/authorities/${id}`)).status).toBe(404);
    expect((await client.call('ca/get', { ca_id: id, what: 'cert' })).status).toBe(404);
  });
});

test('options can change while the server runs, and invalid ones change nothing', async () => {
  expect((await control('PUT', '/options', { validity: '2h', emptyFields: 'null' })).status).toBe(204);
  const id = await client.issue();
  const view = server.certificates().find((one) => one.id === id);
  expect((view?.notAfter ?? 0) - (view?.notBefore ?? 0)).toBe(7200);
  for (const wrong of [{ validity: '1ms' }, { latency: 'soon' }, { colour: 'red' }, { rateLimit: -1 }]) {
    const refused = await control('PUT', '/options', { emptyFields: 'absent', ...wrong });
    expect([refused.status, refused.json]).toEqual([400, { error: expect.any(String) }]);
  }
  expect((await client.call('cert/details', { cert_id: id })).json).toMatchObject({ ST: null });
  await control('PUT', '/options', { validity: '365d', emptyFields: 'empty' });
});

test('new credentials end no session, and the old ones no longer connect', async () => {
  const old = { passphrase: server.passphrase, apiKey: server.apiKey };
  await server.setOptions({ passphrase: 'new passphrase' });
  expect((await client.connect({ passphrase: old.passphrase })).json).toMatchObject({
    code: 'PassphraseFailure',
  });
  expect((await client.call('ca/list')).status).toBe(200);
  await server.setOptions({ apiKey: 'new key' });
  expect(server.apiKey).toBe('new key');
  expect((await client.connect({ apiKey: old.apiKey })).json).toMatchObject({ code: 'ApiKeyMismatch' });
  expect((await client.connect()).status).toBe(200);
});

test('sessions can be ended at once', async () => {
  await client.connect();
  const { json } = await control('POST', '/sessions/expire');
  expect((json as { expired: number }).expired).toBeGreaterThan(0);
  expect((await client.call('ca/list')).json).toMatchObject({ code: 'InvalidToken' });
  await client.connect();
});

test('faults are added, shown, released and cleared by HTTP', async () => {
  const fault = { call: 'ca/list', kind: 'hold' };
  const { json } = await control('POST', '/faults', fault);
  expect((await control('GET', '/faults')).json).toEqual([
    { id: (json as { id: number }).id, fault, struck: 0, done: false },
  ]);
  const reply = client.call('ca/list');
  await server.waitForCall((entry) => entry.held === true);
  expect((await control('POST', '/release')).json).toEqual({ released: 1 });
  expect((await reply).status).toBe(200);
  expect((await control('DELETE', '/faults')).status).toBe(204);
  expect((await control('GET', '/faults')).json).toEqual([]);
  for (const wrong of [
    {},
    { call: 'ca/lost', kind: 'hang' },
    { call: '*', kind: 'delay' },
    { ...fault, x: 1 },
  ]) {
    expect((await control('POST', '/faults', wrong)).status).toBe(400);
  }
});

test('the counts are by call, by code and by status', async () => {
  const before = server.counts();
  await client.issue();
  await client.call('ca/details');
  const { json } = await control('GET', '/stats');
  expect(json).toMatchObject({
    calls: { 'cert/new': (before.calls['cert/new'] ?? 0) + 1 },
    errors: { MissingParameter: (before.errors['MissingParameter'] ?? 0) + 1 },
    certificates: { good: before.certificates.good + 1 },
  });
});

test('a web page in a browser cannot control it', async () => {
  const asked = (headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const outgoing = request(`${server.controlUrl}/stats`, { headers }, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode ?? 0);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  expect(await asked({ origin: 'https://evil.example' })).toBe(403);
  expect(await asked({ host: 'evil.example' })).toBe(403);
  expect(await asked({ host: 'localhost' })).toBe(200);
});

test('an unknown action or id is reported as missing', async () => {
  expect((await control('GET', '/nothing')).status).toBe(404);
  expect((await control('POST', '/certificates/7/reissue')).status).toBe(404);
  expect((await control('GET', '/crl/ca-7.crl')).status).toBe(404);
});
