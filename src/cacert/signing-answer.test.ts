import { describe, expect, test } from 'vitest';
import { closeAfterEach } from '../http/test-client.ts';
import { answering, authority, input, leaf, privateKey } from './test-client.ts';

closeAfterEach();

/** The outcome of a call if the server answers with `body`. */
async function outcomeOf(body: string | Buffer): Promise<unknown> {
  const { client } = await answering(body);
  return client.signCertificate(input).catch((error: unknown) => error);
}

const link = '<a href="//wiki.cacert.org/WeakKeys">the wiki</a>';
const failed = { name: 'CAcertError', call: 'ccsr.php', status: 200, maybeExecuted: false };
const refused = { ...failed, code: 'KeyRefused', kind: 'input' };
const uncertain = { ...failed, code: 'IssuanceUncertain', kind: 'uncertain', maybeExecuted: true };

/**
 * Every known body of the scripts, without the line end that some of them have. Only fragments of the reasons about keys are
 * known; the words around them are ours.
 */
const bodies: [string, string, Record<string, unknown>][] = [
  ['a certificate', `200,Authentication Ok\n${leaf.trimEnd()}`, { certificate: leaf }],
  [
    'no certificate after a success',
    '200,Authentication Ok',
    { ...uncertain, requestId: undefined, detail: 'The answer holds no certificate.' },
  ],
  [
    'a refused login',
    "403,That username couldn't be found",
    { ...failed, code: 'CredentialsRejected', kind: 'credentials' },
  ],
  [
    'an unreadable request',
    "403, I didn't receive a valid Certificate Request, hit the back button and try again.",
    { ...refused, refusal: 'UnreadableRequest', detail: 'CAcert cannot read the signing request.' },
  ],
  [
    'a small key',
    `403, The keys that you use are very small and therefore insecure. Please generate stronger keys. More information about this issue can be found in ${link}`,
    { ...refused, refusal: 'KeyTooSmall' },
  ],
  [
    'a Debian key',
    `403, The keys you use have very likely been generated with a vulnerable version of OpenSSL which was distributed by debian. Please generate new keys. More information about this issue can be found in ${link}`,
    { ...refused, refusal: 'KnownWeakKey' },
  ],
  [
    'a small exponent',
    `403, The keys you use might be insecure. Although there is currently no known attack for reasonable encryption schemes, we're being cautious. More information in ${link}`,
    { ...refused, refusal: 'SmallExponent' },
  ],
  [
    'a key that is not RSA',
    `403, The keys you use have an unrecognized algorithm. See ${link}`,
    { ...refused, refusal: 'UnsupportedAlgorithm' },
  ],
  [
    'a check that failed',
    '403, Something went wrong when processing your request. Please contact support@cacert.org and provide them with this number: #1234567',
    { ...refused, kind: 'passing', refusal: 'CheckFailed' },
  ],
  [
    'a refusal in another language',
    '403, Die von Ihnen verwendeten Schlüssel sind sehr klein.',
    { ...refused, refusal: 'Unrecognized' },
  ],
  [
    'no verified address',
    "404,Wasn't able to match any emails sent against your account",
    { ...failed, code: 'EmailRefused', kind: 'input' },
  ],
  ['an invalid request', '404,Invalid or missing CSR', { ...failed, code: 'CsrRefused', kind: 'input' }],
  [
    'a request that was not signed in time',
    '404,Your certificate request has failed. ID: 288123',
    { ...uncertain, requestId: 288_123 },
  ],
];

const notice =
  '<br />\n<b>Notice</b>:  Undefined index: codesign in <b>/www/api/ccsr.php</b> on line <b>54</b><br />\n';
const disguises: [string, (body: string) => string][] = [
  ['without a line end', (body) => body],
  ['with a line end', (body) => `${body}\n`],
  ['with the line ends of another system', (body) => `${body.replaceAll('\n', '\r\n')}\r\n`],
  ['after blank lines', (body) => `\n \r\n\t\n${body}`],
  ['after a notice of PHP', (body) => notice + body + '\n'],
  ['after a byte order mark', (body) => `\u{feff}${body}`],
  ['after blanks', (body) => `  ${body}`],
];

describe.each(disguises)('an answer %s', (_name, disguise) => {
  test.each(bodies)('about %s is read correctly', async (_name, body, expected) => {
    expect(await outcomeOf(disguise(body))).toMatchObject(expected);
  });
});

describe('an answer of success', () => {
  test('returns the certificate alone, whatever surrounds it', async () => {
    const text = 'Certificate:\n    Data: ...\n';

    expect(await outcomeOf(`200,Authentication Ok\n${notice}${text}${leaf}${text}`)).toEqual({
      certificate: leaf,
    });
  });

  test.each([
    ['before', authority + leaf],
    ['after', leaf + authority],
  ])('returns the certificate if that of its authority comes %s it', async (_name, pems) => {
    expect(await outcomeOf(`200,Authentication Ok\n${pems}`)).toEqual({ certificate: leaf });
  });

  test.each([
    ['half a certificate', leaf.slice(0, 200)],
    ['garbage instead of base64', leaf.replace('MII', '!!!')],
    ['base64 of something else', leaf.replace(/(?<=-\n)[^-]+/, 'AAAA\n')],
    ['two certificates that are not an authority’s', leaf + leaf],
    ['two certificates of authorities', authority + authority],
    ['a good and a broken one', `${leaf}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`],
    ['blank lines', '\n\n\n'],
    ['a request instead of a certificate', input.csr],
    ['a web page', '<!DOCTYPE html><html><body>Sorry</body></html>'],
  ])('with %s leaves the outcome open', async (_name, rest) => {
    expect(await outcomeOf(`200,Authentication Ok\n${rest}`)).toMatchObject({
      ...uncertain,
      requestId: undefined,
    });
  });

  test('with a private key is refused, and the error contains nothing of the key', async () => {
    const error = await outcomeOf(`200,Authentication Ok\n${leaf}${privateKey}`);

    expect(error).toMatchObject({
      code: 'ProtocolError',
      detail: 'The answer holds a private key.',
      maybeExecuted: true,
      text: undefined,
    });
  });
});

describe('an answer of failure', () => {
  test.each([
    ['0', undefined],
    ['', undefined],
    ['x', undefined],
    ['12345678901234567890', undefined],
    ['1', 1],
  ])('with ID %j is uncertain as well', async (id, requestId) => {
    expect(await outcomeOf(`404,Your certificate request has failed. ID: ${id}`)).toMatchObject({
      ...uncertain,
      requestId,
    });
  });

  test('about a key has its text on one line without tags, and the text is not printed', async () => {
    const error = await outcomeOf(`403, Ihre <b>Schl&uuml;ssel</b>\n${link} ${'x'.repeat(400)}`);

    expect(error).toMatchObject({ refusal: 'Unrecognized' });
    expect(error).toHaveProperty('text', expect.stringMatching(/^Ihre Schlüssel the wiki x+…$/));
    expect(JSON.stringify(error) + String(error)).not.toContain('Ihre');
  });

  test('about a key is recognised with tags and line ends between its words', async () => {
    expect(await outcomeOf('403, The keys are <b>very</b>\nsmall')).toMatchObject({ refusal: 'KeyTooSmall' });
  });

  test.each([
    ['an undocumented number', '500,Internal error'],
    ['a success with another number', '201,Created'],
    ['an undocumented text', '404,Something else'],
    ['a text that only begins like a documented one', '404,Invalid or missing CSR and more'],
  ])('with %s is a protocol error that leaves the outcome open', async (_name, body) => {
    expect(await outcomeOf(body)).toMatchObject({
      code: 'ProtocolError',
      kind: 'protocol',
      maybeExecuted: true,
      text: body.slice(4),
    });
  });

  test.each([
    ['nothing', '', 'The answer has no status line.'],
    ['a certificate alone', leaf, 'The answer has no status line.'],
    ['text', 'Fatal error: out of memory', 'The answer has no status line.'],
    ['a number without a text', '200', 'The answer has no status line.'],
    ['a web page', '<html>\n<body>CAcert</body></html>', 'The answer is a web page.'],
    [
      'a web page with a line like an answer',
      '<!DOCTYPE html>\n<p>\n200,000 members',
      'The answer is a web page.',
    ],
    ['a web page after a notice', `${notice}<!doctype HTML><title>x</title>`, 'The answer is a web page.'],
    ['bytes that are not text', Buffer.from([0xff, 0xfe, 0, 1]), 'The answer has no status line.'],
  ])('that is %s is a protocol error that leaves the outcome open', async (_name, body, detail) => {
    expect(await outcomeOf(body)).toMatchObject({
      code: 'ProtocolError',
      kind: 'protocol',
      status: 200,
      maybeExecuted: true,
      detail,
    });
  });
});
