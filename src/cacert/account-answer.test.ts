import { describe, expect, test } from 'vitest';
import { closeAfterEach } from '../http/test-client.ts';
import { answering } from './test-client.ts';

closeAfterEach();

const anonymous = 'NAME=CAcert WoT User\n';
const head = `200,Authentication Ok\nCS=0\n${anonymous}`;

/** The outcome of `getAccount` if the server answers with `body`. */
async function outcomeOf(body: string | Buffer): Promise<unknown> {
  const { client } = await answering(body);
  return client.getAccount().catch((error: unknown) => error);
}

describe('an account', () => {
  test('has names, addresses and rights', async () => {
    const names = ['Ada Lovelace', 'Ada King Lovelace', 'Ada Lovelace Dr.', 'Ada King Lovelace Dr.'];
    const emails = ['ada@example.com', 'Ada.Lovelace@example.org'];
    const lines = [...names.map((name) => `NAME=${name}`), ...emails.map((email) => `EMAIL=${email}`)];

    expect(await outcomeOf(`200,Authentication Ok\nCS=1\n${anonymous}${lines.join('\n')}\n`)).toEqual({
      codeSigning: true,
      names,
      emails,
      encoding: 'utf8',
    });
  });

  test('may have the right to code signing, no name of its own and no address', async () => {
    expect(await outcomeOf(`200,Authentication Ok\nCS=1\n${anonymous}`)).toEqual({
      codeSigning: true,
      names: [],
      emails: [],
      encoding: 'utf8',
    });
  });

  test.each([
    ['after blank lines', `\n\n${head}EMAIL=a@b.example\n`],
    ['after a notice of PHP', `<br />\n<b>Notice</b>: x on line 7<br />\n${head}EMAIL=a@b.example\n`],
    ['with blank lines in between', `${head}\n\nEMAIL=a@b.example\n\n`],
    ['with unknown keys', `${head}POINTS=100\nEMAIL=a@b.example\nSERIAL=1`],
    ['with lines without a key', `${head}hello\nEMAIL=a@b.example\n=x\n`],
    ['with the line ends of another system', `${head}EMAIL=a@b.example\n`.replaceAll('\n', '\r\n')],
    ['with the same address twice', `${head}EMAIL=a@b.example\nEMAIL=a@b.example\n`],
    ['with empty values', `${head}NAME=\nEMAIL=a@b.example\nEMAIL=\n`],
  ])('is read %s', async (_name, body) => {
    expect(await outcomeOf(body)).toEqual({
      codeSigning: false,
      names: [],
      emails: ['a@b.example'],
      encoding: 'utf8',
    });
  });

  test('has values that are split at the first equals sign only', async () => {
    expect(await outcomeOf(`${head}NAME=a=b\nEMAIL=x=y@b.example\n`)).toMatchObject({
      names: ['a=b'],
      emails: ['x=y@b.example'],
    });
  });

  test.each<[string, string[], string[]]>([
    [
      'utf8',
      [
        'Conan O&#039;Brien &amp; Sons',
        'Zo&Atilde;&laquo;',
        // The second byte of "É" is not a letter of ISO-8859-1, so it stays unchanged.
        '&Atilde;\x89mile',
        // A name that contains an entity itself.
        '&amp;#1071;',
      ],
      ["Conan O'Brien & Sons", 'Zoë', 'Émile', '&#1071;'],
    ],
    ['latin1', ['Ada', 'Zo&euml;'], ['Ada', 'Zoë']],
    // One invalid UTF-8 text makes the others ISO-8859-1, too. What matters is that the same bytes can be sent back.
    ['latin1', ['Zo&euml;', 'Zo&Atilde;&laquo;'], ['Zoë', 'ZoÃ«']],
  ])('has names as in the database, in %s', async (encoding, lines, names) => {
    const body = Buffer.from(`${head}${lines.map((line) => `NAME=${line}\n`).join('')}`, 'latin1');

    expect(await outcomeOf(body)).toMatchObject({ names, encoding });
  });

  test('with a wrong login is refused', async () => {
    for (const end of ['\n', ''])
      expect(await outcomeOf(`403,That username couldn't be found${end}`)).toMatchObject({
        name: 'CAcertError',
        code: 'CredentialsRejected',
        kind: 'credentials',
        call: 'cemails.php',
        status: 200,
        maybeExecuted: false,
      });
  });

  test.each([
    ['nothing but a status line', '200,Authentication Ok\n'],
    ['no right to code signing', `200,Authentication Ok\n${anonymous}EMAIL=a@b.example\n`],
    ['an invalid right', `200,Authentication Ok\nCS=yes\n${anonymous}`],
    ['no name', '200,Authentication Ok\nCS=1\n'],
    ['an end within a line', `${head}EMAIL=someone@exa`],
    ['another refusal', '403, The keys that you use are very small'],
    ['another number', '404,Not found'],
    ['no status line', 'CS=1\nNAME=x\n'],
    ['a web page', '<!DOCTYPE html>\n<html>\n200,Authentication Ok\n'],
    ['nothing', ''],
  ])('in an answer with %s is a protocol error that leaves no outcome open', async (_name, body) => {
    expect(await outcomeOf(body)).toMatchObject({
      code: 'ProtocolError',
      kind: 'protocol',
      maybeExecuted: false,
    });
  });
});
