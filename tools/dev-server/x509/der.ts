/** A DER writer: each function returns one complete value (X.690). */

/** One value with this tag; the contents are joined. */
export function tagged(tag: number, ...contents: Uint8Array[]): Buffer {
  let length = 0;
  for (const part of contents) length += part.length;
  return Buffer.concat([header(tag, length), ...contents]);
}

function header(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tag, length]);
  if (length < 0x100) return Buffer.from([tag, 0x81, length]);
  if (length < 0x10000) return Buffer.from([tag, 0x82, length >> 8, length & 0xff]);
  return Buffer.from([tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]);
}

export function sequence(...contents: Uint8Array[]): Buffer {
  return tagged(0x30, ...contents);
}

export function set(...contents: Uint8Array[]): Buffer {
  return tagged(0x31, ...contents);
}

/** Context-specific and constructed, as `[n] EXPLICIT`, or `[n] IMPLICIT` of a constructed type. */
export function context(n: number, ...contents: Uint8Array[]): Buffer {
  return tagged(0xa0 | n, ...contents);
}

/** Context-specific and primitive, as `[n] IMPLICIT` of a string. */
export function contextPrimitive(n: number, content: Uint8Array): Buffer {
  return tagged(0x80 | n, content);
}

/** A non-negative INTEGER. */
export function integer(value: number | bigint): Buffer {
  let hex = value.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  const bytes = Buffer.from(hex, 'hex');
  return (bytes[0] ?? 0) < 0x80 ? tagged(0x02, bytes) : tagged(0x02, Buffer.from([0]), bytes);
}

export function boolean(value: boolean): Buffer {
  return Buffer.from([0x01, 0x01, value ? 0xff : 0x00]);
}

export const NULL = Buffer.from([0x05, 0x00]);

export function octetString(content: Uint8Array): Buffer {
  return tagged(0x04, content);
}

/** A BIT STRING of whole bytes. */
export function bitString(content: Uint8Array): Buffer {
  return tagged(0x03, Buffer.from([0]), content);
}

/** A BIT STRING of named bits (bit 0 first), without trailing zeros, as DER requires. */
export function namedBits(...bits: number[]): Buffer {
  const highest = Math.max(...bits);
  const bytes = Buffer.alloc((highest >> 3) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return tagged(0x03, Buffer.from([7 - (highest & 7)]), bytes);
}

/** ENUMERATED below 128. */
export function enumerated(value: number): Buffer {
  return Buffer.from([0x0a, 0x01, value]);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}

export function utf8String(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text, 'utf8'));
}

export function printableString(text: string): Buffer {
  return tagged(0x13, Buffer.from(text, 'latin1'));
}

/** BMPString: UTF-16, big-endian. */
export function bmpString(text: string): Buffer {
  return tagged(0x1e, utf16be(text));
}

/** UTF-16, big-endian. */
export function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

/** Time in Unix seconds: UTCTime up to 2049, GeneralizedTime from 2050 (RFC 5280, 4.1.2.5). */
export function time(seconds: number): Buffer {
  const text = new Date(seconds * 1000).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  const year = Number(text.slice(0, 4));
  return year < 2050
    ? tagged(0x17, Buffer.from(text.slice(2), 'latin1'))
    : tagged(0x18, Buffer.from(text, 'latin1'));
}
