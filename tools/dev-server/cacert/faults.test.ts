/** Every fault, and what the service did despite it. */
import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startCAcertServer } from '../index.ts';
import { type Reply, ask, call, certificateIn, openssl, opensslRequest, pemIn } from './test-client.ts';
import type { CAcertFault, CAcertFaultEffect, CAcertRefusalName, CAcertServer } from './types.ts';

const csr = opensslRequest('rsa:2048');
const key = openssl(['req', '-noout', '-pubkey'], csr);

let server: CAcertServer;

beforeAll(async () => {
  server = await startCAcertServer({
    protocol: 'http',
    members: [
      {
        username: 'jane@example.com',
        password: 'p',
        firstName: 'Jane',
        lastName: 'Müller',
        codeSigning: true,
        emails: ['jane@example.com', 'jane@example.org'],
      },
    ],
  });
});
afterAll(() => server.stop());
afterEach(() => server.clearFaults());

/** Makes every kind of request, with a fault. */
function askWith(effect: CAcertFaultEffect): Promise<Reply> {
  server.addFault({ call: 'ccsr', ...effect });
  return ask(server, csr, [
    ['email[0]', 'jane@example.com'],
    ['email[1]', 'jane@example.org'],
    ['name', 'Jane Müller'],
    ['codesign', '1'],
  ]);
}

/** How many certificates were signed while `run` ran. */
async function signedIn(run: () => Promise<unknown>): Promise<number> {
  const before = server.certificates().length;
  await run();
  return server.certificates().length - before;
}

describe('an answer that is not the true one', () => {
  test.each<[CAcertRefusalName, RegExp]>([
    ['username', /^403,That username couldn't be found\n$/],
    ['email', /^404,Wasn't able to match any emails sent against your account$/],
    ['csr', /^404,Invalid or missing CSR$/],
    ['no-request', /^403, I didn't receive a valid Certificate Request/],
    ['small-key', /^403, .*very small.*<a href=/],
    ['debian-key', /^403, .*vulnerable version of OpenSSL/],
    ['small-exponent', /^403, .*might be insecure/],
    ['algorithm', /^403, .*unrecognized algorithm/],
    ['internal', /^403, Something went wrong when processing your request.*\d$/],
  ])('is the refusal %s, and nothing is signed', async (error, text) => {
    const signed = await signedIn(async () => {
      const reply = await askWith({ kind: 'error', error });
      expect(reply.status).toBe(200);
      expect(reply.text).toMatch(text);
    });

    expect(signed).toBe(0);
    expect(server.journal().at(-1)).toMatchObject({ code: error, fault: 'error' });
  });

  test.each<[string, CAcertFaultEffect, number, RegExp]>([
    ['a proxy that gives up', { kind: 'html', acts: true }, 502, /<html>/],
    ['a page with the status 200', { kind: 'html', status: 200, acts: true }, 200, /^<html>/],
    ['a redirect to the front page', { kind: 'redirect', acts: true }, 302, /^$/],
    ['a body of any bytes', { kind: 'body', body: '200,\xff\n', acts: true }, 200, /^200,\xff\n$/],
    ['nothing but the status line', { kind: 'no-certificate' }, 200, /^200,Authentication Ok\n$/],
  ])('is %s although the certificate was signed', async (_, effect, status, text) => {
    const signed = await signedIn(async () => {
      const reply = await askWith(effect);
      expect([reply.status, reply.text]).toEqual([status, expect.stringMatching(text)]);
    });

    expect(signed).toBe(1);
  });

  test.each<[string, CAcertFaultEffect, RegExp]>([
    ['blank lines', { kind: 'blank-lines', lines: 3 }, /^\n\n\n200,Authentication Ok\n-----BEGIN/],
    ['a PHP notice', { kind: 'php-notice' }, /^<br \/>\n<b>Notice<\/b>: [^\n]*\n200,Authentication Ok\n/],
    ['line ends of Windows', { kind: 'crlf' }, /^200,Authentication Ok\r\n-----BEGIN CERTIFICATE-----\r\n/],
  ])('is the true one with %s', async (_, effect, text) => {
    expect((await askWith(effect)).text).toMatch(text);
  });

  test('of cemails.php has names as the database has them', async () => {
    server.addFault({ call: 'cemails', kind: 'raw-names', times: 2 });
    const utf8 = await call(server, 'cemails');
    await server.setOptions({ database: 'latin1' });
    const latin1 = await call(server, 'cemails');
    await server.setOptions({ database: 'utf8' });

    expect(utf8.body.includes('NAME=Jane Müller\n', 0, 'utf8')).toBe(true);
    expect(latin1.body.includes('NAME=Jane Müller\n', 0, 'latin1')).toBe(true);
  });

  test('is huge, cut short or slow', async () => {
    const huge = await askWith({ kind: 'huge', bytes: 100_000 });
    expect(huge.text).toMatch(/^200,Authentication Ok\n-----BEGIN CERTIFICATE-----\nA{100000}\n-----END/);
    await expect(askWith({ kind: 'truncated', bytes: 60 })).rejects.toThrow(/aborted|ECONNRESET/);
    expect(certificateIn(await askWith({ kind: 'trickle', bytes: 1000, ms: 1 })).subject).toMatch(/Jane/);
  });
});

describe('a certificate that differs from the request', () => {
  const shown = async (effect: CAcertFaultEffect): Promise<X509Certificate> =>
    certificateIn(await askWith(effect));
  const mails = (...addresses: string[]): string => addresses.map((each) => `email:${each}`).join(', ');

  test('lacks the last address, or the given one', async () => {
    expect((await shown({ kind: 'dropped-email' })).subjectAltName).toBe(mails('jane@example.com'));
    const named = await shown({ kind: 'dropped-email', email: 'jane@example.com' });
    expect([named.subjectAltName, named.subject]).toEqual([
      mails('jane@example.org'),
      'CN=Jane Müller\nemailAddress=jane@example.org',
    ]);
  });

  test('is anonymous', async () => {
    expect((await shown({ kind: 'anonymous-name' })).subject).toMatch(/^CN=CAcert WoT User\n/);
  });

  test('is not for code signing or not for clients', async () => {
    const purposes = async (effect: CAcertFaultEffect): Promise<string[]> => (await shown(effect)).keyUsage;
    expect(await purposes({ kind: 'ignored-codesign' })).not.toContain('1.3.6.1.5.5.7.3.3');
    expect(await purposes({ kind: 'no-client-auth' })).not.toContain('1.3.6.1.5.5.7.3.2');
    expect(await purposes({ kind: 'delay', ms: 0 })).toEqual(
      expect.arrayContaining(['1.3.6.1.5.5.7.3.3', '1.3.6.1.5.5.7.3.2']),
    );
  });

  test('has other names', async () => {
    const other = await shown({ kind: 'wrong-names', cn: 'John', emails: ['john@example.com'] });
    expect([other.subject, other.subjectAltName]).toEqual([
      'CN=John\nemailAddress=john@example.com',
      mails('john@example.com'),
    ]);
  });

  test("is for another person's key", async () => {
    const { publicKey } = await shown({ kind: 'wrong-key' });
    expect(publicKey.export({ type: 'spki', format: 'pem' })).not.toBe(key);
    const [request, certificate] = [server.requests().at(-1), server.certificates().at(-1)];
    expect(certificate?.keyFingerprint).not.toBe(request?.keyFingerprint);
  });

  test('has expired, or is not yet valid', async () => {
    const now = Date.now();
    expect((await shown({ kind: 'expired' })).validToDate.getTime()).toBeLessThan(now);
    const ahead = await shown({ kind: 'future', seconds: 86_400 });
    expect(ahead.validFromDate.getTime()).toBeGreaterThan(now + 86_000_000);
  });

  test('is of class 3, which is under the root', async () => {
    const leaf = await shown({ kind: 'class3' });
    const [root, class3] = [server.ca.rootPem, server.ca.class3Pem].map((pem) => new X509Certificate(pem));
    expect(leaf.issuer).toBe(class3?.subject);
    expect(class3 && leaf.verify(class3.publicKey)).toBe(true);
    expect(root && class3?.verify(root.publicKey)).toBe(true);
    expect(server.certificates().at(-1)?.issuer).toBe('class3');
  });

  test('names the root as issuer but is signed by somebody else', async () => {
    const leaf = await shown({ kind: 'foreign-chain' });
    const root = new X509Certificate(server.ca.rootPem);
    expect([leaf.issuer, leaf.verify(root.publicKey)]).toEqual([root.subject, false]);
  });
});

describe('a request that is not signed in time', () => {
  test('is signed on request, and the member fetches it at the web page', async () => {
    const reply = await askWith({ kind: 'unsigned' });
    const id = Number(/^404,Your certificate request has failed\. ID: (\d+)$/.exec(reply.text)?.[1]);
    expect(server.requests().at(-1)).toMatchObject({ id, status: 'waiting', cn: 'Jane Müller' });
    expect(() => server.certificatePem(id)).toThrow(/Nothing was signed/);

    const late = server.sign(id);
    const pem = server.certificatePem(id);
    expect(late).toMatchObject({ id, cn: 'Jane Müller', codeSigning: true });
    expect(new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'pem' })).toBe(key);
    expect(server.sign(id)).toEqual(late);
    expect(server.requests().at(-1)).toMatchObject({ id, status: 'signed', signedAt: late.signedAt });
  });

  test('is signed after a while', async () => {
    const reply = await askWith({ kind: 'unsigned', ms: 1 });
    expect(reply.text).toMatch(/^404,Your certificate request has failed\. ID: \d+$/);
    const id = server.requests().at(-1)?.id;
    await server.waitForCall(({ result }) => result?.id === id && result?.signed === true);
    expect(server.certificates().at(-1)?.id).toBe(id);
  });

  test('is what happens if the signer takes longer than the script waits', async () => {
    await server.setOptions({ wait: '5ms', signing: '20ms' });
    const slow = await ask(server, csr);
    const id = server.requests().at(-1)?.id;
    await server.setOptions({ wait: '20ms', signing: '5ms' });
    const fast = await ask(server, csr);
    await server.setOptions({ wait: 0, signing: 0 });

    expect(slow.text).toBe(`404,Your certificate request has failed. ID: ${id}`);
    expect(pemIn(fast)).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
    await server.waitForCall(({ result }) => result?.id === id && result?.signed === true);
    expect(server.certificates().map((view) => view.id)).toContain(id);
  });
});

describe('a connection that breaks', () => {
  test.each<[string, CAcertFaultEffect, number]>([
    ['before the service acts', { kind: 'reset-before' }, 0],
    ['after the service has acted', { kind: 'reset-after' }, 1],
  ])('%s', async (_, effect, want) => {
    expect(await signedIn(() => expect(askWith(effect)).rejects.toThrow(/hang up|ECONNRESET/))).toBe(want);
    expect(server.journal().at(-1)).toMatchObject({ call: 'ccsr', aborted: true });
  });

  test('at the client, which gives up waiting for an answer', async () => {
    const stop = new AbortController();
    server.addFault({ call: 'ccsr', kind: 'hang' });
    const signed = await signedIn(async () => {
      const reply = ask(server, csr, [], { signal: stop.signal });
      const { seq } = await server.waitForCall((entry) => entry.fault === 'hang');
      stop.abort();
      await expect(reply).rejects.toThrow(/abort/i);
      await server.waitForCall((entry) => entry.seq === seq && entry.aborted === true);
    });

    expect(signed).toBe(0);
  });

  test('at the client, while the service still acts later', async () => {
    const stop = new AbortController();
    server.addFault({ call: 'ccsr', kind: 'late', ms: 1 });
    const signed = await signedIn(async () => {
      const reply = ask(server, csr, [], { signal: stop.signal });
      const { seq } = await server.waitForCall((entry) => entry.fault === 'late');
      stop.abort();
      await expect(reply).rejects.toThrow(/abort/i);
      await server.waitForCall((entry) => entry.seq === seq && entry.late === true);
    });

    expect(signed).toBe(1);
  });

  test('not while a call waits at a hold, before or after it acted', async () => {
    for (const [when, want] of [
      ['before', 0],
      ['after', 1],
    ] as const) {
      server.addFault({ call: 'ccsr', kind: 'hold', when });
      let reply: Promise<Reply> | undefined;
      const signed = await signedIn(async () => {
        reply = ask(server, csr);
        await server.waitForCall((entry) => entry.held === true);
      });
      expect(signed).toBe(want);
      expect(server.release()).toBe(1);
      expect((await reply)?.text).toMatch(/^200,/);
    }
  });
});

test('a fault strikes only the calls it is for: other, later and unsuitable ones pass', async () => {
  const faults: CAcertFault[] = [
    { call: '*', kind: 'wrong-key', times: 'forever' },
    { call: '*', kind: 'raw-names', times: 'forever' },
    { call: 'cemails', kind: 'php-notice', after: 1 },
    { call: 'ccsr', kind: 'hang', match: { 'email[0]': 'john@example.com' } },
  ];
  server.addFault(faults[2] as CAcertFault);
  server.addFault(faults[3] as CAcertFault);
  const first = await call(server, 'cemails');
  const second = await call(server, 'cemails');
  server.addFault(faults[0] as CAcertFault);
  server.addFault(faults[1] as CAcertFault);
  await ask(server, csr);
  await call(server, 'cemails');

  expect([first.text.slice(0, 3), second.text.slice(0, 3)]).toEqual(['200', '<br']);
  expect(server.faults().map(({ fault, struck, done }) => [fault.kind, struck, done])).toEqual([
    ['php-notice', 1, true],
    ['hang', 0, false],
    ['wrong-key', 1, false],
    ['raw-names', 1, false],
  ]);
});
