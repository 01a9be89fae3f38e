import { DerCursor, TAG } from './der.ts';

/** The attributes of a distinguished name that TinyCert knows. */
export interface DistinguishedName {
  commonName?: string;
  country?: string;
  organization?: string;
  organizationalUnit?: string;
  locality?: string;
  province?: string;
}

/** The last byte of 2.5.4.n, the attribute types of X.520. */
const attributes: Record<number, keyof DistinguishedName> = {
  3: 'commonName',
  6: 'country',
  7: 'locality',
  8: 'province',
  10: 'organization',
  11: 'organizationalUnit',
};

/**
 * Reads a Name (RFC 5280 section 4.1.2.4) from the content of its SEQUENCE. If an attribute occurs more than once, its
 * values are joined by a line break. No spec can ask for a line break, so an ambiguous name never equals a requested one.
 */
export function readDistinguishedName(content: Buffer): DistinguishedName {
  const name: DistinguishedName = {};
  const sets = new DerCursor(content);
  while (!sets.done) {
    const pairs = sets.enter(TAG.set);
    while (!pairs.done) {
      const pair = pairs.enter(TAG.sequence);
      const field = attributeOf(pair.next(TAG.oid).content);
      const value = pair.any();
      pair.finish();
      if (field === undefined) continue;
      const text = decodeString(value.tag, value.content);
      const before = name[field];
      name[field] = before === undefined ? text : `${before}\n${text}`;
    }
  }
  return name;
}

function attributeOf(oid: Buffer): keyof DistinguishedName | undefined {
  // 2.5.4.n
  return oid.length === 3 && oid[0] === 0x55 && oid[1] === 0x04 ? attributes[oid[2] ?? 0] : undefined;
}

function decodeString(tag: number, content: Buffer): string {
  if (tag === TAG.utf8String) return content.toString('utf8');
  if (tag === TAG.bmpString) return utf16(content);
  // PrintableString, IA5String and TeletexString: one byte per character.
  return content.toString('latin1');
}

function utf16(bigEndian: Buffer): string {
  return bigEndian.length % 2 === 0
    ? Buffer.from(bigEndian).swap16().toString('utf16le')
    : bigEndian.toString('latin1');
}

/** 1.2.840.113549.1.9.1 */
const EMAIL_ADDRESS = Buffer.from([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01]);

/** The values of emailAddress (PKCS#9) in a Name, given as a whole. CAcert repeats its e-mail alternative names there. */
export function emailAddressesOf(name: Buffer): string[] {
  const found: string[] = [];
  const sets = new DerCursor(name).enter(TAG.sequence);
  while (!sets.done) {
    const pairs = sets.enter(TAG.set);
    while (!pairs.done) {
      const pair = pairs.enter(TAG.sequence);
      const isEmail = pair.next(TAG.oid).content.equals(EMAIL_ADDRESS);
      const value = pair.any();
      pair.finish();
      if (isEmail) found.push(decodeString(value.tag, value.content));
    }
  }
  return found;
}
