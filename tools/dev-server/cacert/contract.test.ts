/** The calls and their answers, byte for byte, as far as the sources of the real site show them. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startCAcertServer } from '../index.ts';
import {
  type Params,
  ask,
  call,
  certificateIn,
  openssl,
  opensslRequest,
  pemIn,
  send,
} from './test-client.ts';
import type { CAcertMemberPreset, CAcertServer } from './types.ts';

const JANE: CAcertMemberPreset = {
  username: 'jane@example.com',
  password: 'correct horse',
  firstName: 'Jane',
  middleName: 'Q.',
  lastName: 'Müller',
  suffix: 'Jr.',
  points: 100,
  codeSigning: true,
  emails: ['jane@example.com', 'jane@example.org'],
};
const csr = opensslRequest('rsa:2048');
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let server: CAcertServer;

beforeAll(async () => {
  server = await startCAcertServer({ protocol: 'http', members: [JANE] });
});
afterAll(() => server.stop());
beforeEach(async () => {
  server.putMember(JANE);
  await server.setOptions({ database: 'utf8', class3: false, validity: null, hosts: null });
});

describe('cemails.php', () => {
  test.each<[string, Partial<CAcertMemberPreset>, string[]]>([
    [
      'all names with a middle name and a suffix',
      {},
      [
        'CS=1',
        'NAME=CAcert WoT User',
        'NAME=Jane M&Atilde;&frac14;ller',
        'NAME=Jane Q. M&Atilde;&frac14;ller',
        'NAME=Jane M&Atilde;&frac14;ller Jr.',
        'NAME=Jane Q. M&Atilde;&frac14;ller Jr.',
        'EMAIL=jane@example.com',
        'EMAIL=jane@example.org',
      ],
    ],
    [
      'one name more with 50 points and neither',
      { points: 50, middleName: '', suffix: '', lastName: "O'Neil & <b>Co</b>", codeSigning: false },
      [
        'CS=0',
        'NAME=CAcert WoT User',
        'NAME=Jane O&#039;Neil &amp; Co',
        'EMAIL=jane@example.com',
        'EMAIL=jane@example.org',
      ],
    ],
    [
      'the anonymous name alone below 50 points, even with CS=1',
      { points: 49, emails: [] },
      ['CS=1', 'NAME=CAcert WoT User'],
    ],
  ])('shows %s', async (_, change, lines) => {
    server.putMember({ ...JANE, ...change });
    const reply = await call(server, 'cemails');

    expect([reply.status, reply.text]).toEqual([200, `200,Authentication Ok\n${lines.join('\n')}\n`]);
  });

  test('writes each letter of a name in a Latin-1 database as one entity', async () => {
    await server.setOptions({ database: 'latin1' });

    expect((await call(server, 'cemails')).text).toContain('NAME=Jane M&uuml;ller\n');
  });

  test('leaves bytes that are no letter in Latin-1 unchanged, so the body is not UTF-8', async () => {
    server.putMember({ ...JANE, lastName: 'À' });
    const { body } = await call(server, 'cemails');

    expect(body.includes(Buffer.from('NAME=Jane &Atilde;\x80\n', 'latin1'))).toBe(true);
  });
});

describe('both scripts', () => {
  test.each(['ccsr', 'cemails'] as const)('%s.php refuses a wrong user or password alike', async (script) => {
    const bad: Params[] = [[['username', 'nobody@example.com']], [['password', 'Correct horse']]];
    for (const params of bad) {
      const reply = await call(server, script, params);
      expect([reply.status, reply.text]).toEqual([200, "403,That username couldn't be found\n"]);
    }
  });

  test('ignore the case of the username', async () => {
    expect((await call(server, 'cemails', [['username', 'JANE@Example.com']])).text).toMatch(/^200,/);
  });

  test('never match a password with a backslash, which sign-up has stripped', async () => {
    server.putMember({ ...JANE, password: ' back\\slash ' });
    const typed = await call(server, 'cemails', [['password', 'back\\slash']]);
    const kept = await call(server, 'cemails', [['password', 'backslash']]);

    expect([typed.text.slice(0, 3), kept.text.slice(0, 3)]).toEqual(['403', '200']);
  });

  test('answer as text/html and begin a session each time', async () => {
    const replies = [await call(server, 'cemails'), await call(server, 'cemails')];
    const cookies = replies.map(({ headers }) => headers['set-cookie']?.[0]);

    for (const { headers } of replies) expect(headers['content-type']).toMatch(/^text\/html/);
    for (const cookie of cookies) expect(cookie).toMatch(/^cacert=[0-9a-f]{32};/);
    expect(new Set(cookies).size).toBe(2);
  });

  test('redirect any other Host name to the front page, and do nothing', async () => {
    const before = server.requests().length;
    const reply = await ask(server, csr, [], { headers: { host: 'cacert.example' } });

    expect([reply.status, reply.headers.location, reply.text]).toEqual([
      302,
      new URL('/', server.endpoint).href,
      '',
    ]);
    expect(server.requests()).toHaveLength(before);
    expect((await send(server, '/', { method: 'GET' })).text).toContain('<html>');
  });

  test('answer to configured Host names, and then no longer to loopback', async () => {
    await server.setOptions({ hosts: ['www.cacert.org'] });
    const as = (host: string): Promise<{ status: number }> =>
      call(server, 'cemails', [], { headers: { host } });

    expect((await as('www.cacert.org')).status).toBe(200);
    expect((await as('www.cacert.org:443')).status).toBe(302);
    expect((await call(server, 'cemails')).status).toBe(302);
  });

  test('are the only ones under /api', async () => {
    expect((await send(server, 'edu.php', { method: 'GET' })).status).toBe(404);
  });

  test('read the query string, urlencoded and multipart bodies', async () => {
    const params = new URLSearchParams({ username: JANE.username, password: JANE.password }).toString();
    const form = new FormData();
    form.set('username', JANE.username);
    form.set('password', JANE.password);
    const multipart = new Response(form);
    const replies = [
      await send(server, `cemails.php?${params}`, { method: 'GET' }),
      await send(server, `cemails.php?${params}`, { body: 'x' }),
      await send(server, 'cemails.php', { headers: FORM, body: params }),
      await send(server, 'cemails.php', {
        headers: { 'content-type': multipart.headers.get('content-type') ?? '' },
        body: Buffer.from(await multipart.arrayBuffer()),
      }),
      // PHP reads no body of this type, so there are no parameters.
      await send(server, 'cemails.php', { headers: { 'content-type': 'text/plain' }, body: params }),
    ];

    expect(replies.map(({ text }) => text.slice(0, 3))).toEqual(['200', '200', '200', '200', '403']);
    expect(server.journal().at(-5)?.inUrl).toEqual(['username', 'password']);
    expect(JSON.stringify(server.journal())).not.toContain('correct');
  });
});

describe('ccsr.php refuses', () => {
  test.each<[string, Params]>([
    ['an address of somebody else', [['email[0]', 'john@example.com']]],
    ['an address that is no list', [['email', 'jane@example.com']]],
    ['no address', [['emails', 'jane@example.com']]],
  ])('%s', async (_, params) => {
    const reply = await ask(server, csr, params);

    expect([reply.status, reply.text]).toEqual([
      200,
      "404,Wasn't able to match any emails sent against your account",
    ]);
  });

  test.each<[string, string, string]>([
    ['no request', '', "I didn't receive a valid Certificate Request"],
    ['garbage', 'hello', "I didn't receive a valid Certificate Request"],
    [
      'one whose + became a blank',
      csr.replaceAll('+', ' ').replace('MII', 'MI '),
      "I didn't receive a valid",
    ],
    ['a key of 1024 bits', rsa('1024'), 'very small'],
    ['a key of 2047 bits', rsa('2047'), 'very small'],
    ['the exponent 3', rsa('2048', '3'), 'might be insecure'],
    ['the exponent 65535', rsa('2048', '65535'), 'might be insecure'],
    ['an elliptic curve', opensslRequest('ec', 'ec_paramgen_curve:P-256'), 'unrecognized algorithm'],
    ['Ed25519', opensslRequest('ed25519'), 'unrecognized algorithm'],
  ])('%s', async (_, request, fragment) => {
    const before = server.requests().length;
    const reply = await ask(server, request);

    expect([reply.status, reply.text.slice(0, 5)]).toEqual([200, '403, ']);
    expect(reply.text).toContain(fragment);
    expect(reply.text.endsWith('\n')).toBe(false);
    expect(server.requests()).toHaveLength(before);
  });

  test('bad keys in the requested language, and everything else in English', async () => {
    const german = { headers: { 'accept-language': 'de-DE,en;q=0.5' } };
    const small = rsa('1024');

    expect((await ask(server, small, [], german)).text).toMatch(/^403, Ihr /);
    expect((await ask(server, small, [['lang', 'de_DE']])).text).toMatch(/^403, Ihr /);
    expect((await ask(server, small, [['lang', 'en_US']], german)).text).toMatch(/^403, Your /);
    expect((await ask(server, csr, [['email[0]', 'x']], german)).text).toMatch(/^404,Wasn't /);
  });

  test('a wrong address before a bad key', async () => {
    expect((await ask(server, '', [['email[0]', 'x']])).text).toMatch(/^404,Wasn't/);
  });
});

describe('ccsr.php issues', () => {
  test('one leaf for the key after the status line, and nothing else', async () => {
    const reply = await ask(server, csr, [['name', 'Jane Müller']]);

    expect([reply.status, reply.text]).toEqual([
      200,
      expect.stringMatching(
        /^200,Authentication Ok\n-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n$/,
      ),
    ]);
    const shown = certificateIn(reply);
    const theirs = openssl(['req', '-noout', '-pubkey'], csr);
    expect(shown.publicKey.export({ type: 'spki', format: 'pem' })).toBe(theirs);
    const spki = shown.publicKey.export({ type: 'spki', format: 'der' });
    expect(server.certificates().at(-1)).toMatchObject({
      account: JANE.username,
      cn: 'Jane Müller',
      emails: ['jane@example.com'],
      codeSigning: false,
      issuer: 'class1',
      serial: shown.serialNumber.toLowerCase(),
      keyFingerprint: createHash('sha256').update(spki).digest('hex'),
      revoked: false,
      origin: server.journal().at(-1)?.seq,
    });
  });

  test.each<[string, string, string]>([
    ['first and last name', 'Jane Müller', 'Jane Müller'],
    ['blanks around it', '  Jane Müller ', 'Jane Müller'],
    ['the middle name too', 'Jane Q. Müller', 'Jane Q. Müller'],
    ['the suffix too', 'Jane Müller Jr.', 'Jane Müller Jr.'],
    ['everything', 'Jane Q. Müller Jr.', 'Jane Q. Müller Jr.'],
    ['another spelling', 'jane müller', 'CAcert WoT User'],
    ['the entities that cemails.php shows', 'Jane M&Atilde;&frac14;ller', 'CAcert WoT User'],
    ['nothing', '', 'CAcert WoT User'],
  ])('a name: %s', async (_, name, cn) => {
    const subject = certificateIn(await ask(server, csr, [['name', name]])).subject;

    expect(subject).toBe(`CN=${cn}\nemailAddress=jane@example.com`);
  });

  test('no name with an apostrophe, nor with fewer than 50 points', async () => {
    server.putMember({ ...JANE, lastName: "O'Neil" });
    expect(certificateIn(await ask(server, csr, [['name', "Jane O'Neil"]])).subject).toMatch(/WoT User/);
    server.putMember({ ...JANE, points: 49 });
    expect(certificateIn(await ask(server, csr, [['name', 'Jane Müller']])).subject).toMatch(/WoT User/);
  });

  test('a name of a Latin-1 database only if it is sent in Latin-1', async () => {
    await server.setOptions({ database: 'latin1' });
    const utf8 = await ask(server, csr, [['name', 'Jane Müller']]);
    const fixed = new URLSearchParams([
      ['username', JANE.username],
      ['password', JANE.password],
      ['email[]', JANE.username],
      ['optionalCSR', csr],
    ]).toString();
    const latin1 = await send(server, 'ccsr.php', { headers: FORM, body: `${fixed}&name=Jane+M%FCller` });

    expect(certificateIn(utf8).subject).toMatch(/WoT User/);
    expect(certificateIn(latin1).subject).toBe('CN=Jane Müller\nemailAddress=jane@example.com');
  });

  test('only the matching addresses, in their spelling and order, each once', async () => {
    const emails: Params = [
      ['email[1]', ' JANE@example.org '],
      ['email[x]', 'john@example.com'],
      ['email[0]', 'Jane@example.com'],
      ['email[7]', 'Jane@Example.org'],
    ];
    const reply = certificateIn(await ask(server, csr, emails));

    expect(reply.subject).toBe(
      'CN=CAcert WoT User\nemailAddress=Jane@Example.org\nemailAddress=Jane@example.com',
    );
    expect(reply.subjectAltName).toBe('email:Jane@Example.org, email:Jane@example.com');
  });

  test.each<[string, Partial<CAcertMemberPreset>, string, boolean]>([
    ['granted, asked for and 100 points', {}, '1', true],
    ['not asked for', {}, '', false],
    ['asked for in another way', {}, 'true', false],
    ['not granted', { codeSigning: false }, '1', false],
    ['99 points', { points: 99 }, '1', false],
  ])('for code signing or silently not: %s', async (_, change, codesign, want) => {
    server.putMember({ ...JANE, ...change });
    const { keyUsage } = certificateIn(await ask(server, csr, [['codesign', codesign]]));

    expect(keyUsage.includes('1.3.6.1.5.5.7.3.3')).toBe(want);
    expect(server.certificates().at(-1)?.codeSigning).toBe(want);
  });

  test.each([
    ['730 days from 50 points on', { points: 50 }, {}, 730 * 86_400],
    ['180 days below', { points: 49 }, {}, 180 * 86_400],
    ['whatever the option says', {}, { validity: '47d' }, 47 * 86_400],
  ])('for %s', async (_, change, options, seconds) => {
    server.putMember({ ...JANE, ...change });
    await server.setOptions(options);
    const { validFromDate, validToDate } = certificateIn(await ask(server, csr));

    expect((validToDate.getTime() - validFromDate.getTime()) / 1000).toBe(seconds);
  });

  test('another certificate each time, even for the same key', async () => {
    const serials = [];
    for (let i = 0; i < 3; i += 1) serials.push(certificateIn(await ask(server, csr)).serialNumber);

    expect(new Set(serials).size).toBe(3);
  });

  test('nothing for a request that another key has signed: the signer refuses it, and the row stays', async () => {
    const [, head = '', body = '', tail = ''] = /^(-----B[^\n]+\n)([^-]+)(-----E.*)$/s.exec(csr) ?? [];
    const der = Buffer.from(body, 'base64');
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const reply = await ask(server, `${head}${der.toString('base64')}\n${tail}`);
    const row = server.requests().at(-1);

    expect(reply.text).toBe(`404,Your certificate request has failed. ID: ${row?.id}`);
    expect(row?.status).toBe('refused');
  });
});

describe('a certificate', () => {
  test.each([
    ['class 1', false],
    ['class 3', true],
  ])('of %s is what OpenSSL takes for TLS clients and S/MIME', async (_, class3) => {
    await server.setOptions({ class3 });
    const leaf = pemIn(await ask(server, csr));
    for (const purpose of ['sslclient', 'smimesign', 'smimeencrypt']) {
      expect(verify(leaf, purpose)).toMatch(/OK/);
    }
    // OpenSSL accepts it for servers too because of the server-gated purposes; serverAuth itself is absent.
    expect(openssl(['x509', '-noout', '-ext', 'extendedKeyUsage'], leaf)).not.toContain('Web Server');
    expect(server.certificates().at(-1)?.issuer).toBe(class3 ? 'class3' : 'class1');
  });

  test('has the profile of the policy', async () => {
    const leaf = pemIn(await ask(server, csr, [['codesign', '1']]));
    const shown = openssl(['x509', '-noout', '-text'], leaf);

    for (const part of [
      /Signature Algorithm: sha512WithRSAEncryption/,
      /Issuer: O = Root CA, OU = [^\n]*, CN = CA Cert Signing Authority, emailAddress = /,
      /Basic Constraints: critical\s+CA:FALSE/,
      /Key Usage: critical\s+Digital Signature, Key Encipherment, Key Agreement\n/,
      /Extended Key Usage:\s+E-mail Protection, TLS Web Client Authentication, Microsoft Encrypted File System, Microsoft Server Gated Crypto, Netscape Server Gated Crypto, Code Signing, Microsoft Individual Code Signing, Microsoft Commercial Code Signing\n/,
      /OCSP - URI:http:\/\/127\.0\.0\.1:\d+\/ocsp/,
      /URI:http:\/\/127\.0\.0\.1:\d+\/crl\/revoke\.crl/,
      /Subject Alternative Name:\s+email:jane@example\.com\n/,
    ]) {
      expect(shown).toMatch(part);
    }
  });
});

function rsa(bits: string, exponent = '65537'): string {
  return opensslRequest(`rsa:${bits}`, `rsa_keygen_pubexp:${exponent}`);
}

function verify(leaf: string, purpose: string): string {
  return openssl(['verify', '-CAfile', server.caFile, '-purpose', purpose], leaf);
}
