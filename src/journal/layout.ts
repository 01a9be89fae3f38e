import { z } from 'zod';
import { TerminalError } from '../lib/errors.ts';
import { sha256Hex } from '../lib/hash.ts';

/**
 * How the journal is laid out: one key of the object for each entry, record and highest id, so that what cannot be read costs
 * nothing but itself. Texts that a caller gives to tell things apart are stored as digests, so that all keys and all parts
 * but the caller's own have a fixed size and hold no tenant's text (`fixedSize`).
 */
export const LEADER_KEY = 'leader';

/** Who wrote the journal last. */
const Leader = z.object({
  holder: z.string(),
  /** How many leaders there have been, as the Lease counts. */
  leaders: z.number(),
  /** A random one for each takeover, so that no takeover leaves the object as it was (F1). */
  takeover: z.string(),
});
export type Leader = z.output<typeof Leader>;

const EntryText = z.object({
  /** Random; the result in status names it. */
  id: z.string(),
  group: z.string(),
  request: z.string().exactOptional(),
  /** It was in a journal that was put back (`putBackUnsure`). */
  isPutBack: z.boolean().exactOptional(),
  entry: z.unknown(),
});
export type EntryText = z.output<typeof EntryText>;

const RecordText = z.object({
  group: z.string(),
  /** When it was made, in milliseconds since the epoch. */
  at: z.number(),
  record: z.unknown(),
});
export type RecordText = z.output<typeof RecordText>;

const OWNER = /^[A-Za-z0-9-]{1,64}(\.[a-z0-9]{1,64})?$/;
const ENTRY = /^[a-z]+\.entry\./;
const RECORD = /^[a-z]+\.record\./;
const HIGHEST = 'highest.';

/** A fixed-size stand-in for a text. */
export function digestOf(text: string): string {
  return sha256Hex(text).slice(0, 32);
}

/**
 * The key of the entry of an owner: the uid of a resource, and what tells its entries apart if it may have several. Throws a
 * `TerminalError` for a uid that no API server gives.
 */
export function entryKey(section: string, owner: string): string {
  if (!OWNER.test(owner))
    throw new TerminalError('UnusableOwner', 'The resource has a uid that no key can hold.');
  return `${section}.entry.${owner}`;
}

export function recordKey(section: string, name: string): string {
  return `${section}.record.${digestOf(name)}`;
}

export function highestKey(name: string): string {
  return `${HIGHEST}${digestOf(name)}`;
}

export function isEntryKey(key: string): boolean {
  return ENTRY.test(key);
}

export function isRecordKey(key: string): boolean {
  return RECORD.test(key);
}

export function isHighestKey(key: string): boolean {
  return key.startsWith(HIGHEST);
}

/** The owner in the key of an entry. */
export function ownerOf(section: string, key: string): string | undefined {
  const start = `${section}.entry.`;
  return key.startsWith(start) ? key.slice(start.length) : undefined;
}

/** Whether a key is that of a record of this section. */
export function isRecordOf(section: string, key: string): boolean {
  return key.startsWith(`${section}.record.`);
}

/** What stands under a key; undefined if it cannot be read. */
export const read = {
  leader: (text: string | undefined): Leader | undefined => parsed(Leader, text),
  entry: (text: string): EntryText | undefined => parsed(EntryText, text),
  record: (text: string): RecordText | undefined => parsed(RecordText, text),
  highest: (text: string | undefined): number | undefined =>
    text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined,
};

function parsed<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}
