import { describe, expect, test } from 'vitest';
import { type Abandoned, type Released, withReleased } from './released.ts';

function released(certificateId: number, cause: Released['cause'] = 'Deleted'): Released {
  return { certificateId, cause: cause ?? 'Deleted' };
}

/** One of a resource of its own. */
function abandoned(attemptId: string): Abandoned {
  const time = '2026-01-01T00:00:00Z';
  return {
    attemptId,
    uid: `uid of ${attemptId}`,
    requestHash: 'v1:x',
    commonName: 'a.example.com',
    afterId: 1,
    since: time,
    until: time,
  };
}

const ids = (memory: ReturnType<typeof withReleased>): number[] | undefined =>
  memory?.released?.map(({ certificateId }) => certificateId);

describe('what an issuer remembers', () => {
  test('is all that several give up, each once', () => {
    const givings = [
      { released: [released(1), released(2)], abandoned: [abandoned('a')] },
      { released: [released(2), released(3)], abandoned: [abandoned('a'), abandoned('b')] },
    ];
    expect(withReleased({ released: [released(1)] }, givings)).toEqual({
      released: [released(1), released(2), released(3)],
      abandoned: [abandoned('a'), abandoned('b')],
    });
  });

  test('is not written again when all of it is known, in whatever order its fields come', () => {
    const known = {
      released: [{ cause: 'Deleted', certificateId: 1 } as const],
      abandoned: [abandoned('a')],
    };
    const givings = [{ released: [released(1)], abandoned: [abandoned('a')] }, { taken: [7] }];
    expect(withReleased(known, givings)).toBeUndefined();
  });

  test('names only the list that changes', () => {
    const known = { released: [released(1)], abandoned: [abandoned('a')] };
    expect(withReleased(known, [{ abandoned: [abandoned('b')] }])).toEqual({
      abandoned: [abandoned('a'), abandoned('b')],
    });
  });

  test('loses what is taken up again', () => {
    expect(ids(withReleased({ released: [released(1), released(2)] }, [{ taken: [1] }]))).toEqual([2]);
  });

  test.each([
    ['Undecided', 'Deleted', 'Deleted'],
    ['Deleted', 'Undecided', 'Deleted'],
  ] as const)('of a certificate that was %s and is %s is that it was %s', (before, after, last) => {
    const first = withReleased({}, [{ released: [released(1, before)] }]) ?? {};
    const both = { ...first, ...withReleased(first, [{ released: [released(1, after)] }]) };
    expect(both.released).toEqual([released(1, last)]);
  });

  test('is one attempt for all that one resource made for one request, as far as they reach together', () => {
    const first = abandoned('a');
    const again = {
      ...first,
      attemptId: 'b',
      afterId: 9,
      since: '2026-01-01T00:01:00.000Z',
      until: '2026-01-01T00:02:00.000Z',
    };
    const other = { ...again, requestHash: 'v1:other' };

    const change = withReleased({ abandoned: [first] }, [{ abandoned: [again, other] }]);

    expect(change?.abandoned).toEqual([{ ...first, until: again.until }, other]);
  });

  test('are the newest thousand certificates and two hundred attempts', () => {
    const known = { released: Array.from({ length: 1000 }, (_, i) => released(i + 1)) };
    const change = withReleased(known, [
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
