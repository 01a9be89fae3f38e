import { describe, expect, test } from 'vitest';
import { authority, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { type Abandoned, recordsOf, type Released, releasedPatch } from './released.ts';

function released(certificateId: number, cause: Released['cause'] = 'Deleted'): Released {
  return { ...ref(certificateId), cause: cause ?? 'Deleted' };
}

/** An attempt of a resource of its own. */
function abandoned(attemptId: string): Abandoned {
  const time = '2026-01-01T00:00:00Z';
  return {
    attemptId,
    ...authority,
    uid: `uid of ${attemptId}`,
    requestHash: 'v1:x',
    commonName: 'a.example.com',
    afterId: 1,
    since: time,
    until: time,
  };
}

const ids = (memory: ReturnType<typeof releasedPatch>): number[] | undefined =>
  memory?.released?.map(({ certificateId }) => certificateId);

describe('the memory of an issuer', () => {
  test('takes all additions, each entry once', () => {
    const additions = [
      { released: [released(1), released(2)], abandoned: [abandoned('a')] },
      { released: [released(2), released(3)], abandoned: [abandoned('a'), abandoned('b')] },
    ];
    expect(releasedPatch({ released: [released(1)] }, additions)).toEqual({
      released: [released(1), released(2), released(3)],
      abandoned: [abandoned('a'), abandoned('b')],
    });
  });

  test('is not written again if it has all entries, whatever the order of their fields', () => {
    const known = {
      released: [{ cause: 'Deleted', ...ref(1) } as const],
      abandoned: [abandoned('a')],
    };
    const additions = [{ released: [released(1)], abandoned: [abandoned('a')] }, { adopted: [ref(7)] }];
    expect(releasedPatch(known, additions)).toBeUndefined();
  });

  test('changes only the list that differs', () => {
    const known = { released: [released(1)], abandoned: [abandoned('a')] };
    expect(releasedPatch(known, [{ abandoned: [abandoned('b')] }])).toEqual({
      abandoned: [abandoned('a'), abandoned('b')],
    });
  });

  test('drops a certificate that a resource adopts', () => {
    expect(ids(releasedPatch({ released: [released(1), released(2)] }, [{ adopted: [ref(1)] }]))).toEqual([
      2,
    ]);
  });

  test('keeps the certificates of two accounts with one id apart', () => {
    const elsewhere = { ...released(1), account: otherAccount };
    expect(releasedPatch({ released: [released(1)] }, [{ released: [elsewhere] }])?.released).toEqual([
      released(1),
      elsewhere,
    ]);
    expect(ids(releasedPatch({ released: [released(1)] }, [{ adopted: [elsewhere] }]))).toBeUndefined();
    expect(recordsOf({ released: [released(1), elsewhere], abandoned: [abandoned('a')] }, authority)).toEqual(
      {
        released: [released(1)],
        abandoned: [abandoned('a')],
        orphans: [],
      },
    );
  });

  test.each([
    ['Undecided', 'Deleted', 'Deleted'],
    ['Deleted', 'Undecided', 'Deleted'],
  ] as const)('of a certificate released as %s and then as %s keeps %s', (before, after, last) => {
    const first = releasedPatch({}, [{ released: [released(1, before)] }]) ?? {};
    const both = { ...first, ...releasedPatch(first, [{ released: [released(1, after)] }]) };
    expect(both.released).toEqual([released(1, last)]);
  });

  test('merges the attempts of one resource for one request into one entry that spans them all', () => {
    const first = abandoned('a');
    const again = {
      ...first,
      attemptId: 'b',
      afterId: 9,
      since: '2026-01-01T00:01:00.000Z',
      until: '2026-01-01T00:02:00.000Z',
    };
    const other = { ...again, requestHash: 'v1:other' };

    const change = releasedPatch({ abandoned: [first] }, [{ abandoned: [again, other] }]);

    expect(change?.abandoned).toEqual([{ ...first, until: again.until }, other]);
  });

  test('keeps the newest thousand certificates and two hundred attempts', () => {
    const known = { released: Array.from({ length: 1000 }, (_, i) => released(i + 1)) };
    const change = releasedPatch(known, [
      {
        released: [released(2001), released(2002)],
        abandoned: Array.from({ length: 201 }, (_, i) => abandoned(`a${i}`)),
      },
    ]);
    expect(change?.released).toHaveLength(1000);
    expect(ids(change)?.[0]).toBe(3);
    expect(ids(change)?.at(-1)).toBe(2002);
    expect(change?.abandoned).toHaveLength(200);
    expect(change?.abandoned?.[0]?.attemptId).toBe('a1');
  });
});
