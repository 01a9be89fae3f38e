import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../errors.ts';
import { advance, initialState, type Outcome, type ReflectorState } from './reflector-state.ts';

type State = ReflectorState<string>;

const healthy = { failures: 0, failedAt: Number.NEGATIVE_INFINITY };
const watching: State = { phase: 'watching', resourceVersion: 'v1', health: healthy };
const listing: State = { phase: 'listing', gathered: ['a'], continue: 'token', health: healthy };
const middle = (): number => 0.5;

function apiError(status: number, fields: { reason?: string; verb?: string } = {}): ApiError {
  return new ApiError({ status, reason: 'Test', message: 'm', verb: 'GET', resource: 'things', ...fields });
}

const failed = (error: unknown, events = 0, openMs = 0): Outcome<string> => ({
  type: 'watch-failed',
  error,
  resourceVersion: 'v9',
  events,
  openMs,
});

test('pages are gathered until the list is complete, and the watch starts from its version', () => {
  let state: State = initialState();
  state = advance(state, { type: 'page', entries: ['a', 'b'], continue: 't1' }, 0, middle);
  state = advance(state, { type: 'page', entries: ['c'], continue: 't2' }, 0, middle);
  expect(state).toMatchObject({ phase: 'listing', gathered: ['a', 'b', 'c'], continue: 't2' });

  expect(advance(state, { type: 'listed', resourceVersion: 'v5' }, 0, middle)).toMatchObject({
    phase: 'watching',
    resourceVersion: 'v5',
  });
});

describe('a watch continues at once from its last resourceVersion', () => {
  test.each<[string, Outcome<string>]>([
    [
      'after the server ended it as usual',
      { type: 'ended', resourceVersion: 'v9', events: 0, openMs: 240_000 },
    ],
    [
      'after the server dropped it for being slow',
      { type: 'ended', resourceVersion: 'v9', events: 3, openMs: 5 },
    ],
    ['after a cut, if it had delivered something', failed(apiError(0, { reason: 'ConnectionFailed' }), 3)],
    [
      'after a silence, if it had delivered something',
      failed(apiError(0, { reason: 'DeadlineExceeded' }), 3),
    ],
  ])('%s', (_name, outcome) => {
    expect(advance(watching, outcome, 0, middle)).toMatchObject({ phase: 'watching', resourceVersion: 'v9' });
  });
});

describe('a watch continues from its last resourceVersion after a pause', () => {
  test.each<[string, Outcome<string>]>([
    ['if it ended at once without an event', { type: 'ended', resourceVersion: 'v9', events: 0, openMs: 10 }],
    ['if there was no connection', failed(apiError(0, { reason: 'ConnectionFailed' }))],
    ['if it was cut before it delivered anything', failed(apiError(0, { reason: 'DeadlineExceeded' }))],
    ['on 401', failed(apiError(401))],
    ['on 403', failed(apiError(403))],
    ['on 429', failed(apiError(429))],
    ['on 500', failed(apiError(500))],
    ['on 503', failed(apiError(503))],
  ])('%s', (_name, outcome) => {
    expect(advance(watching, outcome, 0, middle)).toMatchObject({
      phase: 'waiting',
      delayMs: 800,
      next: { phase: 'watching', resourceVersion: 'v9' },
    });
  });
});

describe('everything is listed again', () => {
  test('at once on the first 410', () => {
    expect(advance(watching, failed(apiError(410)), 0, middle)).toMatchObject({
      phase: 'listing',
      gathered: [],
    });
  });

  test.each<[string, Outcome<string>]>([
    ['on 404: the kind is gone', failed(apiError(404))],
    ['on 400: the server does not know the resourceVersion', failed(apiError(400))],
    ['on 504: the resourceVersion is too large', failed(apiError(504))],
    ['on an ERROR event', failed(apiError(500, { verb: 'WATCH' }), 5)],
    ['on a line that is not an event', failed(apiError(0, { verb: 'WATCH', reason: 'ProtocolError' }), 5)],
    ['on an answer that is not HTTP', failed(apiError(0, { reason: 'ProtocolError' }))],
    ['on an error in this program', failed(new TypeError('x is not a function'), 5)],
  ])('after a pause %s', (_name, outcome) => {
    expect(advance(watching, outcome, 0, middle)).toMatchObject({
      phase: 'waiting',
      next: { phase: 'listing', gathered: [] },
    });
  });
});

describe('a list that fails', () => {
  test('continues with the same page after a pause', () => {
    expect(advance(listing, { type: 'list-failed', error: apiError(503) }, 0, middle)).toMatchObject({
      phase: 'waiting',
      next: { phase: 'listing', gathered: ['a'], continue: 'token' },
    });
  });

  test('starts over when its token has expired', () => {
    const next = advance(listing, { type: 'list-failed', error: apiError(410) }, 0, middle);

    expect(next).toMatchObject({ phase: 'listing', gathered: [] });
    expect(next).not.toHaveProperty('continue');
  });
});

describe('the pause', () => {
  const refused: Outcome<string> = { type: 'list-failed', error: apiError(503) };

  test('doubles from 0.8 to 30 seconds, give or take a quarter', () => {
    let state: State = listing;
    const delays = [];
    for (let i = 0; i < 8; i += 1) {
      state = advance(state, refused, i, middle);
      delays.push(state.phase === 'waiting' ? state.delayMs : 0);
      state = advance(state, { type: 'waited' }, i, middle);
    }

    expect(delays).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    expect(advance(listing, refused, 0, () => 0)).toMatchObject({ delayMs: 600 });
    expect(advance(listing, refused, 0, () => 1)).toMatchObject({ delayMs: 1000 });
  });

  test.each([
    [119_999, 1600],
    [120_000, 800],
  ])(
    'starts from the shortest after two minutes without a failure: after %i ms it is %i ms',
    (gap, delayMs) => {
      const after = advance(listing, refused, 0, middle);

      expect(advance(after, refused, gap, middle)).toMatchObject({ delayMs });
    },
  );

  test('comes before a second 410 within two minutes', () => {
    const after = advance(watching, failed(apiError(410)), 0, middle);

    expect(advance(after, failed(apiError(410)), 10, middle)).toMatchObject({
      phase: 'waiting',
      next: { phase: 'listing' },
    });
  });

  test('is never longer than 37.5 seconds, and the interrupted step follows it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 400, 403, 404, 410, 429, 500, 503)),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (statuses, random) => {
          let state: State = watching;
          for (const status of statuses) {
            state = advance(state, failed(apiError(status)), 0, () => random);
            expect(state.phase === 'waiting' ? state.delayMs : 0).toBeLessThanOrEqual(37_500);
            const next = state.phase === 'waiting' ? state.next : state;
            state = advance(state, { type: 'waited' }, 0, () => random);
            expect(state).toMatchObject({ phase: next.phase });
          }
        },
      ),
    );
  });
});
