import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectLinear } from '../../test/support/scaling.ts';
import { escapeForm } from './form.ts';
import { createCleaner, safeCause } from './secrecy.ts';

const secret = `a "b" <c>&d'e/f~*é`;
const clean = createCleaner([secret, 'Api-Key+1']);

describe('text of the service', () => {
  test('is passed on and clipped', () => {
    expect(clean('CN is missing', undefined)).toBe('CN is missing');
    expect(clean('x'.repeat(300), undefined)).toHaveLength(257);
  });

  test.each([
    ['plain', secret],
    ['in other case', secret.toUpperCase()],
    ['as a form value', escapeForm(secret)],
    ['as a form value in lower case', escapeForm(secret).toLowerCase()],
    ['as URLSearchParams writes it', new URLSearchParams({ x: secret }).toString()],
    ['as a URL value', encodeURIComponent(secret)],
    ['in JSON', JSON.stringify({ x: secret })],
    ['in HTML', 'a &quot;b&quot; &lt;c&gt;&amp;d&#039;e/f~*é'],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in hexadecimal', Buffer.from(secret).toString('hex')],
    ['of the API key', 'bad key Api-Key+1'],
  ])('is withheld if it repeats a secret %s', (_name, echo) => {
    expect(clean(`your request was ${echo} which is wrong`, undefined)).toBeUndefined();
  });

  test('is withheld if it repeats the session token of the request', () => {
    expect(clean('token=0123abcd', '0123abcd')).toBeUndefined();
    expect(clean('token=0123abcd', 'ffff')).toBe('token=0123abcd');
  });

  test('that almost repeats a secret is compared with it in linear time', () => {
    const read = (text: string): unknown => createCleaner(['a'.repeat(text.length / 8)])(text, undefined);
    const nearMisses = (size: number): string => `${'a'.repeat(size / 8 - 1)}b`.repeat(8);

    expect(read(nearMisses(8192))).toBeDefined();
    expectLinear(read, nearMisses, { to: 1024 * 1024 });
  });

  test('is withheld if it contains a private key', () => {
    expect(clean('-----BEGIN RSA PRIVATE KEY-----', undefined)).toBeUndefined();
  });

  test('is withheld for any secret in the echo of a form, even one that clipping would cut', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.nat(400), (any, before) => {
        expect(createCleaner([any])(`${'-'.repeat(before)}${escapeForm(any)}`, undefined)).toBeUndefined();
      }),
    );
  });
});

describe('the cause of a network error', () => {
  test('keeps code and message and nothing else of the original', () => {
    const original = Object.assign(new Error('Expected HTTP/'), { code: 'HPE_INVALID', data: secret });

    const cause = safeCause(original, clean);

    expect(cause).toMatchObject({ message: 'Expected HTTP/', code: 'HPE_INVALID' });
    expect(cause).not.toHaveProperty('data');
  });

  test('joins the messages of several attempts', () => {
    const original = new AggregateError([new Error('ECONNREFUSED ::1'), new Error('ECONNREFUSED 127.0.0.1')]);

    expect(safeCause(original, clean).message).toBe('ECONNREFUSED ::1; ECONNREFUSED 127.0.0.1');
  });

  test('withholds a message that repeats a secret', () => {
    expect(safeCause(new Error(`bad ${secret}`), clean).message).not.toContain(secret);
  });
});
