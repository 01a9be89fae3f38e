import type { Form } from '../http/form.ts';
import type { Works } from './issuing.ts';
import type { RateLimit } from '../state/rate-limit.ts';
import { ServiceError, illegal, missing } from '../service-error.ts';
import type { Sessions } from '../state/sessions.ts';
import type { Account } from '../state/store.ts';
import type { FaultEffect, JournalEntry } from '../types.ts';

/** What the calls share. */
export interface Service extends Works {
  sessions: Sessions;
  rateLimit: RateLimit;
  /** Certificates requested so far; decides when another customer takes an id first. */
  turns: number;
}

/** One call, authenticated as this account's. */
export interface Call {
  service: Service;
  account: Account;
  form: Form;
  entry: JournalEntry;
  /** The certificate defect of a fault on this call. */
  defect?: FaultEffect;
}

/** A call's answer: a value to send as JSON, or nothing for the generic success. */
export type CallHandler = (call: Call) => object | undefined | Promise<object | undefined>;

/** A required text parameter that must not be empty. */
export function requiredText(form: Form, name: string): string {
  const value = form.get(name);
  if (value === undefined) throw missing(name);
  if (typeof value !== 'string') throw illegal(name, 'it is not a list');
  if (value === '') throw illegal(name, 'it is empty');
  return value;
}

/** A text parameter for which empty and absent are the same. */
export function optionalText(form: Form, name: string): string | undefined {
  const value = form.get(name);
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw illegal(name, 'it is not a list');
  return value;
}

/** A required parameter of decimal digits. */
export function requiredInteger(form: Form, name: string): number {
  const text = requiredText(form, name);
  if (!/^\d{1,15}$/.test(text)) throw illegal(name, 'it is not a number');
  return Number(text);
}

/** A required parameter with one of the given words. */
export function requiredChoice<T extends string>(form: Form, name: string, choices: readonly T[]): T {
  const text = requiredText(form, name);
  const choice = choices.find((word) => word === text);
  if (choice === undefined) throw illegal(name, `it is one of ${choices.join(', ')}`);
  return choice;
}

/** Counts one creation against the account's rate limit. Throws RateLimitExceeded. */
export function takeTurn({ service, account }: Call): void {
  const { rateLimit } = service.settings;
  if (rateLimit === null || service.rateLimit.take(account.id, rateLimit, service.now())) return;
  throw new ServiceError('RateLimitExceeded', 'Too many CAs or certificates were made within a short time');
}

/** The limits of X.520, which OpenSSL enforces when the service writes a certificate. */
const LONGEST: Record<string, number> = { ST: 128, L: 128, O: 64, OU: 64, CN: 64 };

/** A required part of a distinguished name. */
export function requiredPart(form: Form, name: string): string {
  return checkedPart(name, requiredText(form, name));
}

/** A part of a distinguished name as an object to spread, empty if the part was not given. */
export function optionalPart<K extends string>(form: Form, name: K): { [P in K]?: string } {
  const value = optionalText(form, name);
  const part: { [P in K]?: string } = {};
  if (value !== undefined) part[name] = checkedPart(name, value);
  return part;
}

function checkedPart(name: string, value: string): string {
  if (name === 'C' && !/^[A-Z]{2}$/.test(value))
    throw illegal(name, 'it is an ISO 3166-1 code of two letters');
  if (value.length > (LONGEST[name] ?? Infinity)) throw illegal(name, 'it is too long');
  return value;
}

/** Parts of a name for an answer. Those that were not given are `""`, null or absent, depending on the settings. */
export function shownParts(
  subject: object,
  names: readonly string[],
  emptyFields: 'null' | 'empty' | 'absent',
): Record<string, string | null> {
  const parts: Record<string, string | null> = {};
  const given = new Map(Object.entries(subject) as [string, string][]);
  for (const name of names) {
    const value = given.get(name);
    if (value !== undefined) parts[name] = value;
    else if (emptyFields !== 'absent') parts[name] = emptyFields === 'null' ? null : '';
  }
  return parts;
}
