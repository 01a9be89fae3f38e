import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIp, parseIp } from './ip.ts';

const canonical = (text: string): string | undefined => {
  const bytes = parseIp(text);
  return bytes && formatIp(bytes);
};

describe('an IP address', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::1.2.3.4', '::102:304'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('%s is %s in normal form (RFC 5952)', (text, want) => {
    expect(canonical(text)).toBe(want);
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '1.2.3.4 ',
    '192.0.2.0/24',
    '::ffff:1.2.3.4',
    '::ffff:102:304',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '1::2::3',
    ':::',
    ':1',
    '1:',
    '12345::',
    '[::1]',
    '1.2.3.4::',
    '::1.2.3.4:5',
    'g::',
  ])('is not %j', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  test('is the same after conversion from bytes to text and back', () => {
    const four = fc.uint8Array({ minLength: 4, maxLength: 4 });
    const sixteen = fc
      .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
      .filter((bytes) => !isIpv4Mapped(bytes))
      .map((bytes) => Uint8Array.from(bytes));
    fc.assert(
      fc.property(fc.oneof(four, sixteen), (bytes) => {
        expect([...(parseIp(formatIp(bytes) ?? '') ?? [])]).toEqual([...bytes]);
      }),
    );
  });

  test('has 4 or 16 bytes', () => {
    expect(formatIp(new Uint8Array(8))).toBeUndefined();
    expect(formatIp(new Uint8Array(0))).toBeUndefined();
  });
});

function isIpv4Mapped(bytes: readonly number[]): boolean {
  return bytes.slice(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255';
}
