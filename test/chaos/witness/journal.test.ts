import { expect, test } from 'vitest';
import { account, attempt, ref } from '../../support/inputs/inputs.ts';
import { tinycertView } from '../../support/inputs/tinycert-view.ts';
import { attemptOwner, nameHash } from '../../../src/issuance/tinycert/attempt.ts';
import { abandoned, released } from '../../../src/issuance/tinycert/records.ts';
import { JOURNAL_NAME, RECORDS_NAME } from '../../../src/operator/journal.ts';
import type { Stored } from '../etcd.ts';
import { isJournal, journalsIn, nameDigest, readJournal } from './journal.ts';

const [KEY, RECORDS_KEY] = [JOURNAL_NAME, RECORDS_NAME].map((name) => `/registry/secrets/chaos-1/${name}`);
const owner = attemptOwner('uid', account);

/** A Secret with these texts. */
function secret(texts: Record<string, string>): Stored {
  const data = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return { metadata: { name: '', uid: '' }, data: Object.fromEntries(data) as Record<string, string> };
}

test('the witness reads what the operator writes', async () => {
  const { view, api } = tinycertView();
  const reissue = { ...attempt, operation: 'Reissue', previousId: 6, certificateId: 7 } as const;
  const opened = await view.open({ owner, group: '', make: () => reissue });
  const { issuer } = attempt;
  await view.record(owner, [
    ...released(view, [ref(1)], { issuer, cause: 'Deleted' }),
    abandoned(view, 'uid', attempt),
  ]);
  const stored = new Map([
    [KEY, secret(api.data)],
    [RECORDS_KEY, secret(api.recordData)],
  ]);
  const journal = journalsIn({ get: (key) => stored.get(key) });

  const { since, until, afterId } = attempt;
  const id = opened.is === 'open' ? opened.id : '';
  expect(journal.entries).toEqual([
    expect.objectContaining({ id, uid: 'uid', previousId: 6, certificateId: 7 }),
  ]);
  expect(journal.entries).toEqual([expect.objectContaining({ since, until })]);
  expect(journal.released).toEqual([expect.objectContaining({ certificateId: 1, cause: 'Deleted' })]);
  const nameHash = nameDigest('www.example.com');
  expect(journal.abandoned).toEqual([expect.objectContaining({ nameHash, afterId, since, until })]);
});

test('a common name has the digest that the operator writes', () => {
  expect(nameDigest('a.chaos.test')).toBe(nameHash('a.chaos.test'));
});

test.each([
  [KEY, true],
  [RECORDS_KEY, true],
  [`/registry/secrets/other-1/${JOURNAL_NAME}`, true],
  [`/registry/secrets/chaos-2/${JOURNAL_NAME}`, false],
  ['/registry/secrets/chaos-1/plain-1', false],
])('%s is a journal: %s', (key = '', want) => {
  expect(isJournal(key)).toBe(want);
});

test('a journal that does not exist holds nothing', () => {
  expect(readJournal(undefined)).toEqual({ entries: [], released: [], abandoned: [] });
});
