/** Each fault does what it should, at the client and at the service. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { Agent } from 'node:https';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startDevServer } from '../index.ts';
import { type RawRequest, TestClient } from '../test-client.ts';
import type { DevServer, Fault, JournalEntry } from '../types.ts';

let server: DevServer;
let client: TestClient;

beforeAll(async () => {
  server = await startDevServer({ keyPool: 3, keyPoolReuse: true, otherCustomers: 0 });
  client = await TestClient.connected(server);
});

afterAll(() => server.stop());

afterEach(() => {
  server.clearFaults();
  server.clearJournal();
});

function issue(options: RawRequest = {}): ReturnType<TestClient['call']> {
  const params = { C: 'US', CN: 'a.example', O: 'x', 'SANs[0][DNS]': 'a.example', ca_id: server.authorityId };
  return client.call('cert/new', params, options);
}

function made(): number {
  return server.certificates().length;
}

/** The last `cert/new` in the journal, once it matches. */
function issuing(matches: (entry: JournalEntry) => boolean): Promise<JournalEntry> {
  return server.waitForCall((entry) => entry.call === 'cert/new' && matches(entry));
}

describe('answers that do not come from the service', () => {
  test.each<[string, Fault, { status: number; type: string; text: RegExp }]>([
    ['a page', { call: 'cert/new', kind: 'html' }, { status: 502, type: 'text/html', text: /^<html>/ }],
    [
      'no JSON',
      { call: 'cert/new', kind: 'not-json' },
      { status: 200, type: 'application/json', text: /^PHP Warning/ },
    ],
    [
      'a redirect',
      { call: 'cert/new', kind: 'redirect', location: 'https://elsewhere.example/', status: 307 },
      { status: 307, type: 'text/html', text: /307/ },
    ],
    [
      'an error with a wait',
      { call: 'cert/new', kind: 'error', code: 'RateLimitExceeded', retryAfter: 3 },
      { status: 429, type: 'application/json', text: /RateLimitExceeded/ },
    ],
  ])('%s, without acting unless acts is set', async (_, fault, want) => {
    for (const acts of [false, true]) {
      const before = made();
      server.addFault({ ...fault, acts } as Fault);
      const reply = await issue();
      expect(reply.status).toBe(want.status);
      expect(reply.headers['content-type']).toBe(want.type);
      expect(reply.text).toMatch(want.text);
      expect(made() - before).toBe(acts ? 1 : 0);
    }
    expect((await issue()).status).toBe(200);
  });

  test('a redirect has its target, an error its Retry-After', async () => {
    server.addFault({ call: 'cert/new', kind: 'redirect', location: 'https://elsewhere.example/' });
    expect((await issue()).headers['location']).toBe('https://elsewhere.example/');
    server.addFault({ call: 'cert/new', kind: 'error', code: 'RateLimitExceeded', retryAfter: 3 });
    expect((await issue()).headers['retry-after']).toBe('3');
  });

  test('a replay is the last answer to the call, without acting unless acts is set', async () => {
    const first = (await issue()).json;
    for (const acts of [false, true]) {
      const before = made();
      server.addFault({ call: 'cert/new', kind: 'replay', acts });
      expect((await issue()).json).toEqual(first);
      expect(made() - before).toBe(acts ? 1 : 0);
    }
  });

  test('a stray line is added to a list', async () => {
    const id = Number.MAX_SAFE_INTEGER;
    const list = async (): Promise<{ id: number }[]> =>
      (await client.call('cert/list', { ca_id: server.authorityId, what: 15 })).json as { id: number }[];
    const whole = await list();
    server.addFault({ call: 'cert/list', kind: 'stray-line', id });
    expect((await list()).map((line) => line.id)).toEqual([...whole.map((line) => line.id), id]);
    expect(await list()).toEqual(whole);
  });

  test('a huge one has the given number of bytes', async () => {
    server.addFault({ call: 'cert/list', kind: 'huge', bytes: 300_000 });
    const reply = await client.call('cert/list', { ca_id: server.authorityId, what: 15 });
    expect((reply.json as { pem: string }).pem).toHaveLength(300_000);
  });

  test('a huge one ends when the client disconnects', async () => {
    server.addFault({ call: 'cert/new', kind: 'huge', bytes: 2 ** 40 });
    const patience = new AbortController();
    const reply = issue({ signal: patience.signal });
    await issuing((entry) => entry.httpStatus !== undefined);
    patience.abort();
    await expect(reply).rejects.toThrow(/abort/i);
    expect(await issuing((entry) => entry.aborted === true)).toMatchObject({ fault: 'huge' });
  });

  test('a truncated one breaks off after acting', async () => {
    const before = made();
    server.addFault({ call: 'cert/new', kind: 'truncated', bytes: 5 });
    await expect(issue()).rejects.toThrow(/aborted|ECONNRESET|hang up/);
    expect(made()).toBe(before + 1);
    expect(await issuing((entry) => entry.aborted === true)).toMatchObject({ httpStatus: 200 });
  });

  test('a slow one arrives whole', async () => {
    server.addFault({ call: 'cert/new', kind: 'trickle', bytes: 4, ms: 1 });
    expect((await issue()).json).toEqual({ cert_id: expect.any(Number) });
  });
});

describe('connections that break or stall', () => {
  test('a reset before acting makes no certificate, one after acting does', async () => {
    const before = made();
    server.addFault({ call: 'cert/new', kind: 'reset-before' });
    await expect(issue()).rejects.toThrow(/abort|ECONNRESET|hang up/i);
    expect(made()).toBe(before);
    server.addFault({ call: 'cert/new', kind: 'reset-after' });
    await expect(issue()).rejects.toThrow(/abort|ECONNRESET|hang up/i);
    expect(made()).toBe(before + 1);
    const [first, second] = server.journal();
    expect(first).toMatchObject({ fault: 'reset-before', aborted: true });
    expect(first?.result).toBeUndefined();
    expect(second).toMatchObject({
      fault: 'reset-after',
      aborted: true,
      result: { caId: server.authorityId },
    });
    expect(second?.late).toBeUndefined();
  });

  test('a hang never acts and never answers', async () => {
    const before = made();
    server.addFault({ call: 'cert/new', kind: 'hang' });
    const patience = new AbortController();
    const reply = issue({ signal: patience.signal });
    await issuing(() => true);
    patience.abort();
    await expect(reply).rejects.toThrow(/abort/i);
    expect(await issuing((entry) => entry.aborted === true)).toMatchObject({ fault: 'hang' });
    expect(made()).toBe(before);
  });

  test('a call at a hold waits for its release before acting, and acts even if the client has gone', async () => {
    const before = made();
    server.addFault({ call: 'cert/new', kind: 'hold' });
    const patience = new AbortController();
    const reply = issue({ signal: patience.signal });
    await issuing((entry) => entry.held === true);
    patience.abort();
    await expect(reply).rejects.toThrow(/abort/i);
    await issuing((entry) => entry.aborted === true);
    expect(made()).toBe(before);
    expect(server.counts().held).toBe(1);
    expect(server.release()).toBe(1);
    const entry = await issuing((one) => one.late === true);
    expect(made()).toBe(before + 1);
    expect(entry.result?.certId).toBe(server.certificates().at(-1)?.id);
  });

  test('a call at a hold after acting answers when released', async () => {
    const before = made();
    server.addFault({ call: 'cert/new', kind: 'hold', when: 'after' });
    const reply = issue();
    await issuing((entry) => entry.held === true);
    expect(made()).toBe(before + 1);
    server.release();
    expect((await reply).status).toBe(200);
  });

  test.each([false, true])('a late call acts after the client has gone (cut off: %s)', async (cut) => {
    const before = made();
    server.addFault({ call: 'cert/new', kind: 'late', ms: 5, cut });
    const patience = new AbortController();
    const reply = issue({ signal: patience.signal });
    await issuing(() => true);
    if (!cut) patience.abort();
    await expect(reply).rejects.toThrow(/abort|ECONNRESET|hang up/i);
    expect(await issuing((entry) => entry.late === true)).toMatchObject({ aborted: true, fault: 'late' });
    expect(made()).toBe(before + 1);
  });

  test('a delayed call acts and answers', async () => {
    server.addFault({ call: 'cert/new', kind: 'delay', ms: 5 });
    expect((await issue()).status).toBe(200);
  });

  test('a closed listener refuses new connections, breaks open ones, and reopens on its port', async () => {
    const agent = new Agent({ keepAlive: true, ca: server.caPem });
    expect((await client.call('ca/list', {}, { agent })).status).toBe(200);
    await server.setOptions({ listening: false });
    await expect(client.call('ca/list', {}, { agent })).rejects.toThrow(/ECONNREFUSED|ECONNRESET|hang up/);
    await expect(client.call('ca/list')).rejects.toThrow(/ECONNREFUSED/);
    await server.setOptions({ listening: true });
    expect((await client.call('ca/list')).status).toBe(200);
    agent.destroy();
  });
});

describe('the calls that a fault strikes', () => {
  test('depend on name, parameters, after and times', async () => {
    const denied: Fault = { call: 'cert/details', kind: 'error', code: 'AccessDenied' };
    const id = await client.issue();
    const other = await client.issue();
    server.addFault({ ...denied, match: { cert_id: String(id) }, after: 1, times: 2 });
    const statuses = [];
    for (const certId of [id, other, id, id, id, other]) {
      statuses.push((await client.call('cert/details', { cert_id: certId })).status);
    }
    expect(statuses).toEqual([200, 200, 403, 403, 200, 200]);
    expect(server.faults()).toEqual([
      { id: expect.any(Number), fault: expect.anything(), struck: 2, done: true },
    ]);
  });

  test('are any with *, until cleared with forever, and may depend on names in SANs', async () => {
    server.addFault({ call: '*', kind: 'error', code: 'UnknownError', times: 'forever' });
    const first = [await client.call('ca/list'), await client.call('disconnect'), await issue()];
    expect(first.map((reply) => reply.status)).toEqual([500, 500, 500]);
    server.clearFaults();
    server.addFault({
      call: '*',
      kind: 'error',
      code: 'UnknownError',
      match: { 'SANs[0][DNS]': 'b.example' },
    });
    expect((await issue()).status).toBe(200);
    expect((await issue()).status).toBe(200);
  });

  test('meet one fault each, the first that fits', async () => {
    server.addFault({ call: 'ca/list', kind: 'html' });
    server.addFault({ call: '*', kind: 'not-json' });
    expect([(await client.call('ca/list')).status, (await client.call('ca/list')).text]).toEqual([
      502,
      expect.stringContaining('not JSON'),
    ]);
  });
});

describe('certificates with a defect', () => {
  const seconds = (date: Date): number => Math.round((date.getTime() - Date.now()) / 1000);

  test.each<[string, Fault['kind'], object, (certificate: X509Certificate) => void]>([
    [
      'wrong names',
      'wrong-names',
      {},
      (certificate) => expect(certificate.subjectAltName).toBe('DNS:wrong.example.net'),
    ],
    [
      'names of our choice',
      'wrong-names',
      { names: [{ type: 'IP', value: '192.0.2.1' }] },
      (certificate) => expect(certificate.subjectAltName).toBe('IP Address:192.0.2.1'),
    ],
    [
      'an end in the past',
      'expired',
      {},
      (certificate) => expect(seconds(certificate.validToDate)).toBeLessThan(0),
    ],
    [
      'a beginning ahead',
      'future',
      { seconds: 7200 },
      (certificate) => expect(seconds(certificate.validFromDate)).toBeGreaterThan(7000),
    ],
  ])('%s: lasting from cert/new, once from cert/get', async (_, kind, more, check) => {
    server.addFault({ call: 'cert/new', kind, ...more } as Fault);
    const lasting = await client.issue();
    check(new X509Certificate(await client.pem(lasting, 'cert')));
    check(new X509Certificate(await client.pem(lasting, 'chain')));

    const sound = await client.issue();
    server.addFault({ call: 'cert/get', kind, ...more } as Fault);
    const key = createPrivateKey(await client.pem(sound, 'key.dec'));
    const defective = new X509Certificate(await client.pem(sound, 'chain'));
    check(defective);
    expect(defective.checkPrivateKey(key)).toBe(true);
    const healed = new X509Certificate(await client.pem(sound, 'chain'));
    expect(healed.subjectAltName).toBe('DNS:www.example.com');
    expect(Math.abs(seconds(healed.validFromDate))).toBeLessThan(60);
    expect(seconds(healed.validToDate)).toBeGreaterThan(86_400);
  });

  test.each(['cert/new', 'cert/get', 'cert/reissue'] as const)(
    'the chain of another authority of the same name, by %s',
    async (call) => {
      const root = new X509Certificate(server.authorities()[0]?.pem ?? '');
      const old = await client.issue();
      server.addFault({ call, kind: 'foreign-chain' });
      const fresh = call === 'cert/new' ? await client.issue() : old;
      const reissued = await (call === 'cert/reissue' ? client.call(call, { cert_id: old }) : undefined);
      const { cert_id: id = fresh } = (reissued?.json ?? {}) as { cert_id?: number };
      const chain = await client.pem(id, 'chain');
      const leaf = new X509Certificate(chain);
      const foreign = new X509Certificate(chain.slice(chain.indexOf('-----BEGIN', 1)));
      expect(foreign.subject).toBe(root.subject);
      expect(foreign.fingerprint256).not.toBe(root.fingerprint256);
      expect(leaf.verify(foreign.publicKey)).toBe(true);
      expect(leaf.verify(root.publicKey)).toBe(false);
    },
  );

  test('a key of another pair, then the right one', async () => {
    const id = await client.issue();
    const certificate = new X509Certificate(await client.pem(id, 'cert'));
    server.addFault({ call: 'cert/get', kind: 'wrong-key' });
    expect(certificate.checkPrivateKey(createPrivateKey(await client.pem(id, 'key.dec')))).toBe(false);
    expect(certificate.checkPrivateKey(createPrivateKey(await client.pem(id, 'key.dec')))).toBe(true);
  });
});
