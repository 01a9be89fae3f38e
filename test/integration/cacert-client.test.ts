import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  type CAcertClient,
  type CAcertClientOptions,
  createCAcertClient,
  maybeExecuted,
  type SignCertificateInput,
} from '../../src/cacert/index.ts';
import { generateRsaKey } from '../../src/x509/generate-rsa-key.ts';
import { createSigningRequest, verifySigningRequest } from '../../src/x509/signing-request.ts';
import { startCAcertServer } from '../../tools/dev-server/index.ts';
import { failureOf, openssl } from '../support/world/tinycert-service.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

type CAcertServer = Awaited<ReturnType<typeof startCAcertServer>>;
type Fault = Parameters<CAcertServer['addFault']>[0];
/** A fault of one call, without the call. */
type Effect = Fault extends infer F ? (F extends Fault ? Omit<F, 'call'> : never) : never;

const member = {
  username: 'zoe@example.com',
  // Every character that escaping could get wrong.
  password: 'pass  phrase ~*!\'()&=%+/?#[]"<> Zoë €',
  firstName: 'Zoë',
  lastName: 'Müller',
  suffix: 'Jr.',
  codeSigning: true,
  emails: ['zoe@example.com', 'Z.o+e@example.org'],
};

let server: CAcertServer;
let csr: string;
beforeAll(async () => {
  server = await startCAcertServer({ members: [member] });
  const key = await generateRsaKey(2048, new AbortController().signal);
  csr = await createSigningRequest({ key, commonName: 'ignored' });
});
afterAll(() => server.stop());
beforeEach(async () => {
  server.clearFaults();
  await server.setOptions({ database: 'utf8' });
});

/** A client of the server's member for one test. */
function aClient(options: Partial<CAcertClientOptions> = {}): CAcertClient {
  const client = createCAcertClient({
    endpoint: server.endpoint,
    ca: server.caPem,
    credentials: { username: server.username, password: `${server.password}\n` },
    env: {},
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

function wanted(input: Partial<SignCertificateInput> = {}): SignCertificateInput {
  return { csr, emails: member.emails, ...input };
}

describe('an account', () => {
  test.each(['utf8', 'latin1'] as const)('is read with names and addresses of %s', async (database) => {
    await server.setOptions({ database });

    expect(await aClient().getAccount()).toEqual({
      codeSigning: true,
      names: ['Zoë Müller', 'Zoë Müller Jr.'],
      emails: member.emails,
      encoding: database,
    });
  });

  test.each<Effect>([
    { kind: 'blank-lines' },
    { kind: 'php-notice' },
    { kind: 'crlf' },
    { kind: 'raw-names' },
    { kind: 'trickle', bytes: 40, ms: 1 },
  ])('is read despite $kind', async (effect) => {
    server.addFault({ call: 'cemails', ...effect });

    expect(await aClient().getAccount()).toMatchObject({
      names: ['Zoë Müller', 'Zoë Müller Jr.'],
      emails: member.emails,
    });
  });

  test('with a wrong password is refused', async () => {
    const credentials = { username: member.username, password: 'wrong' };

    await expect(aClient({ credentials }).getAccount()).rejects.toMatchObject({
      code: 'CredentialsRejected',
      kind: 'credentials',
    });
  });
});

describe('a certificate', () => {
  test.each(['utf8', 'latin1'] as const)(
    'is signed for key, addresses and a name of %s, and for code signing',
    async (database) => {
      await server.setOptions({ database });
      const client = aClient();
      const { names, emails, encoding } = await client.getAccount();

      const input = wanted({ name: names[0], emails, encoding, codeSigning: true });
      const { certificate } = await client.signCertificate(input);

      const issued = server.certificates().at(-1);
      expect(issued).toMatchObject({ cn: 'Zoë Müller', emails: member.emails, codeSigning: true });
      expect(certificate).toBe(server.certificatePem(issued?.id ?? 0));
      const { publicKey } = new X509Certificate(certificate);
      expect(publicKey.export({ type: 'spki', format: 'der' })).toEqual(verifySigningRequest(csr));
      const text = await openssl(['x509', '-noout', '-ext', 'subjectAltName'], certificate);
      for (const email of member.emails) expect(text).toContain(`email:${email}`);
    },
  );

  test('has no name if none was requested, without an error', async () => {
    await aClient().signCertificate(wanted());

    expect(server.certificates().at(-1)?.cn).toBe('CAcert WoT User');
  });

  test('is requested with only a form, in English and without a cookie', async () => {
    const client = aClient();
    await client.getAccount();
    await client.signCertificate(wanted());

    const [first, second] = server.journal().slice(-2);
    for (const entry of [first, second]) {
      expect(entry).toMatchObject({
        method: 'POST',
        inUrl: [],
        contentType: 'application/x-www-form-urlencoded',
        acceptLanguage: 'en',
      });
      expect(entry).not.toHaveProperty('cookie');
    }
  });

  test('is found after noise before the answer', async () => {
    const client = aClient();
    for (const kind of ['blank-lines', 'php-notice', 'crlf'] as const) {
      server.addFault({ call: 'ccsr', kind });

      const { certificate } = await client.signCertificate(wanted());

      expect(certificate).toBe(server.certificatePem(server.certificates().at(-1)?.id ?? 0));
    }
  });

  test('that is signed too late is identified by its request id', async () => {
    server.addFault({ call: 'ccsr', kind: 'unsigned' });

    const error = await failureOf(aClient().signCertificate(wanted()));

    const id = server.requests().at(-1)?.id ?? 0;
    expect(error).toMatchObject({ code: 'IssuanceUncertain', requestId: id, maybeExecuted: true });
    expect(server.sign(id)).toMatchObject({ id });
  });
});

interface Failure {
  effect: Effect;
  expected: Record<string, unknown>;
}

const refusals = [
  ['username', { code: 'CredentialsRejected' }],
  ['email', { code: 'EmailRefused' }],
  ['csr', { code: 'CsrRefused' }],
  ['no-request', { code: 'KeyRefused', refusal: 'UnreadableRequest' }],
  ['small-key', { code: 'KeyRefused', refusal: 'KeyTooSmall' }],
  ['debian-key', { code: 'KeyRefused', refusal: 'KnownWeakKey' }],
  ['small-exponent', { code: 'KeyRefused', refusal: 'SmallExponent' }],
  ['algorithm', { code: 'KeyRefused', refusal: 'UnsupportedAlgorithm' }],
  ['internal', { code: 'KeyRefused', refusal: 'CheckFailed' }],
] as const;

const page = { status: 200, code: 'ProtocolError', detail: 'The answer is a web page.' };
const failures: Failure[] = [
  ...refusals.map(([error, expected]) => ({ effect: { kind: 'error', error } as Effect, expected })),
  ...[true, false].flatMap((acts): Failure[] => [
    { effect: { kind: 'html', acts }, expected: { code: 'UnexpectedStatus', kind: 'passing', status: 502 } },
    { effect: { kind: 'html', status: 200, acts }, expected: page },
    { effect: { kind: 'redirect', acts }, expected: { code: 'ProtocolError', status: 302 } },
    { effect: { kind: 'huge', bytes: 2 ** 21, acts }, expected: { code: 'ProtocolError' } },
    { effect: { kind: 'body', body: 'ok', acts }, expected: { code: 'ProtocolError' } },
  ]),
  { effect: { kind: 'no-certificate' }, expected: { code: 'IssuanceUncertain', requestId: undefined } },
  { effect: { kind: 'unsigned' }, expected: { code: 'IssuanceUncertain' } },
  { effect: { kind: 'reset-before' }, expected: { code: 'ConnectionLost' } },
  { effect: { kind: 'reset-after' }, expected: { code: 'ConnectionLost' } },
  { effect: { kind: 'truncated' }, expected: { code: 'ConnectionLost' } },
];

describe('a call that fails', () => {
  test.each(failures)('by $effect is reported as such, and never repeated', async ({ effect, expected }) => {
    const before = { calls: server.journal().length, requests: server.requests().length };
    server.addFault({ call: 'ccsr', ...effect });

    const error = await failureOf(aClient().signCertificate(wanted()));

    expect(error).toMatchObject({ name: 'CAcertError', call: 'ccsr.php', ...expected });
    expect(server.journal()).toHaveLength(before.calls + 1);
    // Most important: no error claims that nothing happened if something did.
    const hasActed = server.requests().length > before.requests;
    expect(maybeExecuted(error) || !hasActed).toBe(true);
  });

  test.each(refusals)('with the refusal %s has changed nothing, and the error states that', async (error) => {
    const before = server.requests().length;
    server.addFault({ call: 'ccsr', kind: 'error', error });

    expect(maybeExecuted(await failureOf(aClient().signCertificate(wanted())))).toBe(false);
    expect(server.requests()).toHaveLength(before);
  });

  test('by silence ends at its deadline, and may take effect later', async () => {
    const clock = new VirtualClock();
    server.addFault({ call: 'ccsr', kind: 'hang' });
    const since = server.journal().at(-1)?.seq ?? 0;
    const call = failureOf(aClient({ clock }).signCertificate(wanted()));
    await server.waitForCall(({ seq, call: name }) => seq > since && name === 'ccsr');
    await clock.advance(120_000);
    await settle();

    expect(await call).toMatchObject({ code: 'DeadlineExceeded', maybeExecuted: true });
  });
});
