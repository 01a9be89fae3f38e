import { describe, expect, test } from 'vitest';
import { ref } from '../../test/support/inputs/inputs.ts';
import { issuer, statusRecorder } from '../../test/support/inputs/accounts.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { issuers } from '../api/kinds.ts';
import type { IssuerStatus } from '../api/tinycert/issuer-status.ts';
import { rfc3339 } from '../issuance/status/conditions.ts';
import { LastWritten } from '../issuance/status/last-written.ts';
import type { Issuer } from './deps.ts';
import { type Report, report } from './report.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const READY: Report = { ready: true, reason: 'Ready', message: 'It works.', state: 'Connected' };
const DOWN: Report = { ready: false, reason: 'Timeout', message: 'It does not.', state: 'Unreachable' };
const authority = { id: 1, name: 'Example' };

/** The status of an issuer that has been ready for a day. */
const status: IssuerStatus = {
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Ready',
      message: 'It works.',
      lastTransitionTime: '2025-12-31T00:00:00Z',
      observedGeneration: 1,
    },
  ],
  session: { state: 'Connected', since: '2025-12-31T00:00:00Z' },
  authority,
};

function setup() {
  const clock = new VirtualClock(NOW);
  const { kube, warn, patches, events } = statusRecorder();
  const writtenIssuers = new LastWritten<Issuer>({ clock });
  const crds = { fit: true, check: async () => undefined };
  const deps = { kube, clock, crds, warn, type: issuers, writtenIssuers };
  const run = (content: Report, resource = issuer({ status })) =>
    report(deps, resource, content, new AbortController().signal);
  return { run, patches, events, writtenIssuers };
}

test('a status that shows all of it already is not written', async () => {
  const { run, patches, events } = setup();
  await run(READY);
  expect(patches).toEqual([]);
  expect(events).toEqual([]);
});

test('a new issuer gets condition and session in one write', async () => {
  const { run, patches, events } = setup();
  await run({ ...READY, authority }, issuer());
  expect(patches).toEqual([
    {
      conditions: [expect.objectContaining({ type: 'Ready', status: 'True', observedGeneration: 1 })],
      session: { state: 'Connected', since: '2026-01-01T00:00:00Z', nextAttemptTime: null },
      authority,
    },
  ]);
  expect(events).toEqual([]);
});

test.each<[string, boolean, Partial<Report>]>([
  ['the message changed', true, { message: 'It works well.' }],
  ['the state of the session changed', true, { state: 'RateLimited' }],
  ['the authority changed', true, { authority: { id: 2, name: 'Other' } }],
  ['the authority is the same', false, { authority }],
  ['a rate limit began', true, { blockedUntil: NOW + 1_000 }],
  ['the inventory has news', true, { inventory: { change: { foreignCount: 3 }, news: [] } }],
])('if %s, it is written: %s', async (_, isWritten, change) => {
  const { run, patches } = setup();
  await run({ ...READY, ...change });
  expect(patches).toHaveLength(isWritten ? 1 : 0);
});

test('a condition of an older generation is written again', async () => {
  const { run, patches } = setup();
  await run(READY, issuer({ status, metadata: { name: 'ca', generation: 2 } }));
  expect(patches).toMatchObject([{ conditions: [{ observedGeneration: 2 }] }]);
});

test('a reason for not being ready makes one event, however long it lasts', async () => {
  const { run, events, patches } = setup();
  await run(DOWN);
  expect(events).toEqual([['Timeout', 'It does not.']]);
  const [written] = patches;
  const conditions = (written as { conditions: NonNullable<IssuerStatus['conditions']> }).conditions;
  await run({ ...DOWN, state: 'Refused' }, issuer({ status: { ...status, conditions } }));
  expect(events).toHaveLength(1);
  expect(patches).toHaveLength(2);
});

test('an orphan makes an event once status shows it', async () => {
  const { run, patches, events } = setup();
  const orphan = { ...ref(9), commonName: 'www.example.com' };
  await run({ ...READY, inventory: { change: { orphanCount: 1, orphans: [orphan] }, news: [orphan] } });
  expect(patches).toMatchObject([{ orphanCount: 1, orphans: [orphan] }]);
  expect(events.map(([reason]) => reason)).toEqual(['OrphanedCertificate']);
});

test('what was written is known before the watch shows it', async () => {
  const { run, writtenIssuers } = setup();
  const before = issuer({ status });
  await run(DOWN, before);
  expect(writtenIssuers.newest('ns/ca', before)?.metadata.resourceVersion).toBe('2');
});

describe('the session', () => {
  const session = async (content: Report, before: IssuerStatus = status): Promise<object | undefined> => {
    const { run, patches } = setup();
    await run(content, issuer({ status: before }));
    return patches[0]?.['session'] as object | undefined;
  };

  test('keeps the time since when it is in its state', async () => {
    expect(await session({ ...READY, message: 'New.' })).toMatchObject({ since: '2025-12-31T00:00:00Z' });
    expect(await session(DOWN)).toMatchObject({ since: '2026-01-01T00:00:00Z' });
  });

  test.each([
    ['a long one', 45_000, '2026-01-01T00:00:45Z'],
    ['one of a fraction of a second, rounded up', 45_001, '2026-01-01T00:00:46Z'],
    ['not a short one', 44_999, null],
  ])('shows the wait for the next check: %s', async (_, waitMs, nextAttemptTime) => {
    expect(await session({ ...DOWN, nextAttempt: NOW + waitMs })).toMatchObject({ nextAttemptTime });
  });

  test('keeps showing a wait that has become short', async () => {
    const nextAttemptTime = rfc3339(NOW + 10_000);
    const before: IssuerStatus = {
      ...status,
      session: { state: 'Unreachable', since: '2025-12-31T00:00:00Z', nextAttemptTime },
    };
    expect(await session({ ...DOWN, nextAttempt: NOW + 10_000 }, before)).toMatchObject({ nextAttemptTime });
  });
});

test.each<[string, string | undefined, number | undefined, object | undefined]>([
  ['begins', undefined, NOW + 1_500, { blockedUntil: '2026-01-01T00:00:02Z' }],
  ['goes on', '2026-01-01T00:00:02Z', NOW + 1_500, undefined],
  ['is over', '2026-01-01T00:00:02Z', undefined, { blockedUntil: null }],
])('a rate limit that %s', async (_, before, blockedUntil, limits) => {
  const { run, patches } = setup();
  const shown = before === undefined ? {} : { limits: { blockedUntil: before } };
  await run({ ...READY, message: 'New.', blockedUntil }, issuer({ status: { ...status, ...shown } }));
  expect(patches[0]?.['limits']).toEqual(limits);
});
