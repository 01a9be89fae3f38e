import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Parameters, readParameters, trimmed } from './parameters.ts';

const FORM = 'application/x-www-form-urlencoded';

function read(
  body: string,
  options: { method?: string; url?: string; type?: string } = {},
): Parameters['request'] {
  const { method = 'POST', url = '/', type = FORM } = options;
  return readParameters(method, url, type, Buffer.from(body, 'latin1')).request;
}

describe('parameters as PHP has them', () => {
  test.each<[string, string, [string, unknown][]]>([
    [
      'pairs',
      'a=1&b=2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'a name without a value',
      'a&b=',
      [
        ['a', ''],
        ['b', ''],
      ],
    ],
    ['the last of one name', 'a=1&a=2', [['a', '2']]],
    ['blanks and escapes', 'a=x+y%2Bz%3d', [['a', 'x y+z=']]],
    [
      'what is no escape',
      'a=100%&b=%zz',
      [
        ['a', '100%'],
        ['b', '%zz'],
      ],
    ],
    ['bytes, not characters', 'a=%C3%BC%FC', [['a', '\xc3\xbc\xfc']]],
    [
      'arrays by their keys',
      'e[1]=x&e%5B0%5D=y&e[]=z',
      [
        [
          'e',
          new Map([
            ['1', 'x'],
            ['0', 'y'],
            ['2', 'z'],
          ]),
        ],
      ],
    ],
    [
      'dots and blanks in names',
      'a.b=1&c d=2',
      [
        ['a_b', '1'],
        ['c_d', '2'],
      ],
    ],
  ])('are %s', (_, body, want) => {
    expect([...read(body)]).toEqual(want);
  });

  test('of the body replace those of the URL completely', () => {
    const request = read('e[0]=body', { url: '/?e[0]=url&e[1]=url&f=url' });

    expect([...request]).toEqual([
      ['e', new Map([['0', 'body']])],
      ['f', 'url'],
    ]);
  });

  test.each([
    ['of another method', { method: 'PUT' }],
    ['of another type', { type: 'application/json' }],
    ['of no type', { type: '' }],
    ['of a multipart body without a boundary', { type: 'multipart/form-data' }],
  ])('do not include those %s', (_, options) => {
    expect([...read('a=1', options)]).toEqual([]);
  });

  test('of a multipart body are its fields, byte for byte, and not its files', () => {
    const body = [
      'preamble',
      '--b c',
      'Content-Disposition: form-data; name="text"',
      '',
      'a\r\n--b\xff',
      '--b c',
      'Content-Type: text/plain',
      'content-disposition: form-data; name="e[1]"',
      '',
      '',
      '--b c',
      'Content-Disposition: form-data; name="file"; filename="x.csr"',
      '',
      'file',
      '--b c--',
      '--b c',
      'Content-Disposition: form-data; name="after"',
      '',
      'the end',
    ].join('\r\n');

    expect([...read(body, { type: 'Multipart/Form-Data; boundary="b c"' })]).toEqual([
      ['text', 'a\r\n--b\xff'],
      ['e', new Map([['1', '']])],
    ]);
  });

  test('are the bytes typed into a browser, urlencoded or multipart', async () => {
    const value = fc.string({ unit: 'grapheme', maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(value, async (text) => {
        const form = new FormData();
        form.set('text', text);
        const multipart = new Response(form);
        const body = Buffer.from(await multipart.arrayBuffer()).toString('latin1');
        const type = multipart.headers.get('content-type') ?? '';
        // Browsers normalize line ends in multipart bodies.
        const lines = Buffer.from(text.replaceAll(/\r\n?|\n/g, '\r\n')).toString('latin1');

        expect(read(new URLSearchParams({ text }).toString()).get('text')).toBe(
          Buffer.from(text).toString('latin1'),
        );
        expect(read(body, { type }).get('text')).toBe(lines);
      }),
    );
  });

  test('are trimmed of PHP’s white space', () => {
    expect(trimmed(' \t\n\r\0\v x\xa0 ')).toBe('x\xa0');
  });
});
