import { describe, expect, test } from 'vitest';
import { account, attempt, authority, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { tinycertView } from '../../../test/support/inputs/tinycert-view.ts';
import type { CertificateRef } from '../../api/tinycert/identity.ts';
import { BOUNDS } from '../../journal/bounds.ts';
import { bytesOf } from '../../journal/contents.ts';
import { recordKey } from '../../journal/layout.ts';
import type { Recording } from '../../journal/group.ts';
import { type Attempt, attemptOwner, groupOf } from './attempt.ts';
import { type Abandoned, abandoned, readGivenUp, recordsOf, type Released, released } from './records.ts';

const { issuer } = attempt;
const owner = attemptOwner('uid', account);
const deleted: Released = { is: 'released', ...ref(1), issuer, cause: 'Deleted' };
const left: Abandoned = {
  is: 'abandoned',
  ...authority,
  uid: 'uid',
  resource: attempt.resource,
  issuer,
  requestHash: attempt.requestHash,
  nameHash: attempt.nameHash,
  afterId: attempt.afterId,
  since: attempt.since,
  until: attempt.until,
};

/** A journal, and how something is put on record there. */
function journal() {
  const { view, api } = tinycertView();
  const keep = (records: readonly Recording[]): Promise<void> => view.record(owner, records);
  const release = (certificates: readonly CertificateRef[], cause?: Released['cause']): Promise<void> =>
    keep(released(view, certificates, { issuer, ...(cause === undefined ? {} : { cause }) }));
  const abandon = (change: Partial<Attempt> = {}, uid = 'uid'): Promise<void> =>
    keep([abandoned(view, uid, { ...attempt, ...change })]);
  return { view, api, release, abandon };
}

describe('what was given up', () => {
  test('is remembered with its issuer, each certificate once', async () => {
    const { view, release, abandon } = journal();
    await release([ref(1), ref(2)], 'Deleted');
    await release([ref(2), ref(3)], 'Deleted');
    await abandon();
    expect(recordsOf(view, authority)).toEqual({
      released: [1, 2, 3].map((id) => ({ ...deleted, ...ref(id) })),
      abandoned: [left],
    });
  });

  test('is asked for by account and authority', async () => {
    const { view, release, abandon } = journal();
    const elsewhere = ref(1, { account: otherAccount });
    const second = ref(1, { authorityId: 2 });
    await release([ref(1), elsewhere, second], 'Deleted');
    await abandon({ account: otherAccount });
    expect(recordsOf(view, authority)).toEqual({ released: [deleted], abandoned: [] });
    expect(recordsOf(view, { ...authority, account: otherAccount })).toEqual({
      released: [{ ...deleted, ...elsewhere }],
      abandoned: [{ ...left, account: otherAccount }],
    });
  });

  test('takes its room where the attempts of its resource take theirs', () => {
    const { view } = journal();
    const group = groupOf(authority, 'ns');
    expect(released(view, [ref(1)], { issuer, group })).toMatchObject([{ group }]);
    // With the group of the entry that it comes with.
    expect(released(view, [ref(1)], { issuer })[0]).not.toHaveProperty('group');
    expect(abandoned(view, 'uid', attempt)).not.toHaveProperty('group');
  });
});

describe('a released certificate', () => {
  test.each([
    ['Undecided', 'Deleted', 'Deleted'],
    ['Undecided', undefined, undefined],
    ['Deleted', 'Undecided', 'Deleted'],
    [undefined, 'Undecided', undefined],
  ] as const)('that was given up as %s and then as %s stays given up as %s', async (before, after, cause) => {
    const { view, release } = journal();
    await release([ref(1)], before);
    await release([ref(1)], after);
    const { released: all } = recordsOf(view, authority);
    expect(all.map((each) => each.cause)).toEqual([cause]);
  });

  test.each(['Deleted', 'Undecided'] as const)('is not written again as %s', async (cause) => {
    const { view, release } = journal();
    await release([ref(1)], cause);
    expect(released(view, [ref(1)], { issuer, cause })).toEqual([]);
  });

  test('is known by its identity alone, whatever else is handed over', async () => {
    const { view, release } = journal();
    const pending = { ...ref(1), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' } as const;
    await release([pending], 'Deleted');
    expect(recordsOf(view, authority).released).toEqual([deleted]);
  });
});

describe('recordAbandoned: an abandoned attempt', () => {
  test('joins those of the same resource for the same request, in one record that spans them all', async () => {
    const { view, abandon } = journal();
    const later = { since: '2026-01-01T00:01:00.000Z', until: '2026-01-01T00:02:00.000Z' };
    await abandon({ ...later, afterId: 9 });
    await abandon({ afterId: 7 });
    await abandon({ ...later, afterId: 8 });
    expect(recordsOf(view, authority).abandoned).toEqual([{ ...left, afterId: 7, until: later.until }]);
  });

  test('stays apart from those of other resources, and for other requests', async () => {
    const { view, abandon } = journal();
    await abandon();
    await abandon({}, 'other');
    await abandon({ requestHash: 'v1:other' });
    expect(recordsOf(view, authority).abandoned).toEqual([
      left,
      { ...left, uid: 'other' },
      { ...left, requestHash: 'v1:other' },
    ]);
  });

  test('of a reissue bought something above the certificate that it was to reissue', async () => {
    const { view, abandon } = journal();
    await abandon({ operation: 'Reissue', previousId: 3, afterId: 20 });
    expect(recordsOf(view, authority).abandoned).toMatchObject([{ afterId: 3 }]);
  });
});

test('a record is read as it was written, and nothing else is', () => {
  expect(readGivenUp(structuredClone(deleted))).toEqual(deleted);
  expect(readGivenUp(structuredClone(left))).toEqual(left);
  expect(readGivenUp({ ...deleted, later: 1 })).toEqual(deleted);
  expect(readGivenUp({ ...deleted, is: 'other' })).toBeUndefined();
  expect(readGivenUp({ ...left, afterId: '5' })).toBeUndefined();
  expect(readGivenUp(undefined)).toBeUndefined();
});

test('fixedSize: every record fits, and holds no text of a tenant', () => {
  const { view } = journal();
  const id = Number.MAX_SAFE_INTEGER;
  const large: Attempt = {
    ...attempt,
    authorityId: id,
    afterId: id,
    requestHash: `v1:${'h'.repeat(64)}`,
    reason: 'tenant',
  };
  const records = [
    ...released(view, [ref(id, { authorityId: id })], { issuer, cause: 'Undecided' }),
    abandoned(view, 'u'.repeat(64), large),
  ];
  expect(JSON.stringify(records)).not.toContain('tenant');
  for (const { name, record } of records) {
    const stored = JSON.stringify({ group: 'g'.repeat(32), at: id, record });
    expect(bytesOf(recordKey('tinycert', name), stored)).toBeLessThanOrEqual(BOUNDS.recordBytes);
  }
});
