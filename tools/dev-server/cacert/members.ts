/** The members, and what their points entitle them to. Texts are bytes, one a character, as the database holds them. */
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

/** A pass phrase for whoever gave none. */
export function madeUpPassword(): string {
  return randomBytes(12).toString('base64url');
}

/** The member as sign-up keeps him. Throws a RangeError for one that cannot be. */
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
    // The web page strips backslashes of what is typed in; the API does not.
    password: trimmed(password).replaceAll(/\\(.?)/gs, '$1'),
  };
}

/** The bytes of a text in the database, or the text of such bytes. */
export function toBytes(text: string, database: Database): string {
  return Buffer.from(text, database).toString('latin1');
}

export function fromBytes(bytes: string, database: Database): string {
  return Buffer.from(bytes, 'latin1').toString(database);
}

/** Whether the database takes the two for equal: without regard to case and to blanks at the end. */
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

/** The CN that `ccsr.php` gives for the bytes of `name`: the name if it is one of the member's, else the anonymous one. */
export function commonNameFor(member: Member, name: string, database: Database): string {
  // Escaped for SQL before it is compared, so that it can no longer be equal.
  if (/['"\\]/.test(name)) return ANONYMOUS;
  const isOwn = namesOf(member).some((parts) => toBytes(parts.join(' '), database) === name);
  return isOwn ? fromBytes(name, database) : ANONYMOUS;
}

/** Whether the certificate is one for code signing: granted, asked for with exactly "1", and 100 points. */
export function isCodeSigning(member: Member, codesign: string): boolean {
  return member.codeSigning && codesign === '1' && member.points >= POINTS_FOR_CODE_SIGNING;
}

/** Seconds that a certificate of the member lives. */
export function lifetimeOf(member: Member): number {
  return (member.points >= POINTS_FOR_NAME ? LONG : SHORT) * 86_400;
}
