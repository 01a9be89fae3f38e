import { GROUP } from '../../../src/api/names.ts';
import { certificateKey } from '../../../src/api/tinycert/identity.ts';
import {
  type Attempt,
  attemptOwner,
  groupOf,
  readAttempt,
  uidOfOwner,
} from '../../../src/issuance/tinycert/attempt.ts';
import { type Abandoned, readGivenUp, type Released } from '../../../src/issuance/tinycert/records.ts';
import { digestOf, entryKey, isRecordOf, ownerOf, read, recordKey } from '../../../src/journal/layout.ts';
import { secrets } from '../../../src/kube/objects.ts';
import { JOURNAL_NAME, RECORDS_NAME } from '../../../src/operator/journal.ts';
import { SECTION } from '../../../src/tinycert-certificates/context/attempts.ts';
import type { World } from './world.ts';

/** An attempt as the journal has it. */
export type JournalAttempt = Attempt & {
  /** The id of its entry. */
  id: string;
  /** The uid of its resource. */
  uid: string;
};

/** What TinyCert's part of a journal holds. */
export interface JournalContents {
  attempts: JournalAttempt[];
  /** The lowest id first. */
  released: Released[];
  abandoned: Abandoned[];
}

/** What the journal of a world's operators holds of TinyCert, at this moment. A removal is written within a second. */
export async function journalOf(world: World): Promise<JournalContents> {
  const [entries, records] = await Promise.all(
    [JOURNAL_NAME, RECORDS_NAME].map((name) => textsOf(world, name)),
  );
  const attempts = [...(entries ?? [])].flatMap(([key, text]): JournalAttempt[] => {
    const owner = ownerOf(SECTION, key);
    const stored = read.entry(text);
    const attempt = readAttempt(stored?.entry);
    return owner !== undefined && stored && attempt
      ? [{ ...attempt, id: stored.id, uid: uidOfOwner(owner) }]
      : [];
  });
  const givenUp = [...(records ?? [])].flatMap(([key, text]) => {
    const record = isRecordOf(SECTION, key) ? readGivenUp(read.record(text)?.record) : undefined;
    return record ? [record] : [];
  });
  return {
    attempts,
    released: givenUp
      .filter((each) => each.is === 'released')
      .sort((a, b) => a.certificateId - b.certificateId),
    abandoned: givenUp.filter((each) => each.is === 'abandoned'),
  };
}

/**
 * Puts an attempt without a result into the journal, as an operator leaves it that dies. No operator may be running: it would find
 * the journal changed.
 */
export async function leaveAttempt(world: World, { id, uid, ...attempt }: JournalAttempt): Promise<void> {
  const stored = { id, group: digestOf(''), entry: attempt };
  const key = entryKey(SECTION, attemptOwner(uid, attempt.account));
  await world.patch(secrets, JOURNAL_NAME, { stringData: { [key]: JSON.stringify(stored) } });
}

/** A record as it stands in its Secret: key and text. */
export type StoredRecord = [key: string, text: string];

/** A record that takes the room of a namespace. `at`: when it was made, in milliseconds since the epoch. */
export function storedRecord(
  record: Released,
  { namespace, at }: { namespace: string; at: number },
): StoredRecord {
  const stored = { group: digestOf(groupOf(record, namespace)), at, record };
  return [recordKey(SECTION, `released ${certificateKey(record)}`), JSON.stringify(stored)];
}

/** Puts records beside the journal, as an earlier operator left them. No operator may be running, and there must be none yet. */
export async function leaveRecords(world: World, records: readonly StoredRecord[]): Promise<void> {
  const stringData = Object.fromEntries(records);
  await world.create(secrets, RECORDS_NAME, { type: `${GROUP}/journal`, stringData });
}

async function textsOf(world: World, name: string): Promise<Map<string, string>> {
  const found = await world.stage.kube.find(secrets, world.ref(name));
  const data = Object.entries(found?.data ?? {});
  return new Map(data.map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]));
}
