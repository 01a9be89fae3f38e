/** The members, and what their points entitle them to. Each character of a text is one byte, as in the database. */
import { randomBytes } from 'node:crypto';
import { trimmed } from './parameters.ts';
import type { CAcertMemberPreset } from './types.ts';

export const ANONYMOUS = 'CAcert WoT User';
const POINTS_FOR_NAME = 50;
const POINTS_FOR_CODE_SIGNING = 100;
const LONG = 730;
const SHORT = 180;

export type Member = Required<CAcertMemberPreset>;
export type Database = 'utf8' | 'latin1';

/** A random pass phrase. */
export function madeUpPassword(): string {
  return randomBytes(12).toString('base64url');
}

/** The member as sign-up stores it. Throws a RangeError for an invalid one. */
export function memberOf(preset: CAcertMemberPreset): Member {
  const { username, password } = preset;
  if (!username.includes('@')) throw new RangeError(`"${username}" is not an e-mail address`);
  return {
    middleName: '',
    suffix: '',
    points: POINTS_FOR_CODE_SIGNING,
    codeSigning: false,
    emails: [username],
    ...preset,
    // The web page strips backslashes from its input; the API does not.
    password: trimmed(password).replaceAll(/\\(.?)/gs, '$1'),
  };
}

/** Converts a text to its bytes in the database, or such bytes to their text. */
export function toBytes(text: string, database: Database): string {
  return Buffer.from(text, database).toString('latin1');
}

export function fromBytes(bytes: string, database: Database): string {
  return Buffer.from(bytes, 'latin1').toString(database);
}

/** Whether the database considers the two equal: it ignores case and trailing blanks. */
export function isSameAddress(a: string, b: string): boolean {
  return collated(a) === collated(b);
}

function collated(text: string): string {
  return text.toLowerCase().replace(/ +$/, '');
}

/** The names that `cemails.php` offers after the anonymous one, as lists of parts. */
export function namesOf(member: Member): string[][] {
  if (member.points < POINTS_FOR_NAME) return [];
  const { firstName, middleName, lastName, suffix } = member;
  return [
    [firstName, lastName],
    ...(middleName === '' ? [] : [[firstName, middleName, lastName]]),
    ...(suffix === '' ? [] : [[firstName, lastName, suffix]]),
    ...(middleName === '' || suffix === '' ? [] : [[firstName, middleName, lastName, suffix]]),
  ];
}

/** The CN that `ccsr.php` uses for the bytes of `name`: the name if it is one of the member's, else the anonymous one. */
export function commonNameFor(member: Member, name: string, database: Database): string {
  // The site escapes it for SQL before it compares, so it cannot be equal.
  if (/['"\\]/.test(name)) return ANONYMOUS;
  const isOwn = namesOf(member).some((parts) => toBytes(parts.join(' '), database) === name);
  return isOwn ? fromBytes(name, database) : ANONYMOUS;
}

/** Whether the certificate is for code signing: granted, requested with exactly "1", and 100 points. */
export function isCodeSigning(member: Member, codesign: string): boolean {
  return member.codeSigning && codesign === '1' && member.points >= POINTS_FOR_CODE_SIGNING;
}

/** Lifetime of the member's certificates, in seconds. */
export function lifetimeOf(member: Member): number {
  return (member.points >= POINTS_FOR_NAME ? LONG : SHORT) * 86_400;
}
