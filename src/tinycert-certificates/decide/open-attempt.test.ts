import { describe, expect, test } from 'vitest';
import {
  attempt,
  inputs,
  issued,
  openAttempt,
  otherAccount,
  ref,
  spec,
} from '../../../test/support/inputs/inputs.ts';
import { specHash } from '../../api/tinycert/effective.ts';
import type { Attempt, OpenAttempt } from '../../issuance/tinycert/attempt.ts';
import { decide } from './plan.ts';

type Given = Parameters<typeof inputs>[0] & object;

const QUIET_AT = 2_000_000;
const brandNew = { status: {}, secret: { state: 'absent' } } as const;

/** An open attempt that can have an effect until `QUIET_AT`. */
function opened(change: Partial<Attempt> = {}, known: Partial<OpenAttempt> = {}): OpenAttempt {
  return { ...openAttempt, quietAt: QUIET_AT, ...known, attempt: { ...attempt, ...change } };
}

const unsent = { progress: { is: 'unsent' } } as const;
const heard = { progress: { is: 'bought', bought: ref(9) } } as const;

function planFor(given: Given): ReturnType<typeof decide> {
  return decide(inputs({ ...brandNew, ...given }));
}

describe('an attempt without a result', () => {
  test('is waited out before anything else is done', () => {
    expect(planFor({ attempt: opened() })).toMatchObject({ do: 'wait', quietAt: QUIET_AT });
  });

  test('is looked up once nothing of it can happen any more', () => {
    expect(planFor({ attempt: opened(), monotonic: QUIET_AT }).do).toBe('recover');
  });

  test.each(['New', 'Reissue'] as const)(
    'is made again at once as the %s it was, if nothing of it was sent',
    (operation) => {
      const again = opened({ operation, previousId: 7, revision: 2 }, unsent);
      expect(planFor({ status: issued, attempt: again })).toMatchObject({ do: 'issue', operation });
    },
  );

  test('is waited out without a word while a certificate is served', () => {
    const notReady = { ready: false, reason: 'Unreachable', message: 'no' } as const;
    const waiting = { status: issued, secret: inputs().secret, attempt: opened({ revision: 2 }) };
    expect(planFor({ ...waiting, issuer: notReady })).toEqual({ do: 'wait', quietAt: QUIET_AT });
  });

  test.each<[string, Given]>([
    ['there is no certificate yet', {}],
    [
      'the certificate is no longer the right one',
      { status: issued, secret: inputs().secret, spec: { dnsNames: ['new.example.com'] }, generation: 2 },
    ],
  ])('is waited out with a word if %s', (_, given) => {
    expect(planFor({ ...given, attempt: opened({ revision: 2 }) })).toMatchObject({
      do: 'wait',
      conditions: [{ type: 'Ready', status: 'False', reason: 'Recovering' }, { type: 'Issuing' }],
    });
  });

  test('is waited out without a word during a trial: the failure that is reported stays', () => {
    const trial = { attempt: opened(), turn: { phase: 'trial', epoch: 1 } } as const;
    expect(planFor(trial)).toMatchObject({
      do: 'wait',
      conditions: [{ reason: 'IssuerNotReady' }, {}],
      onlyFirst: true,
    });
  });

  test('is gone on with if its id is known, from the journal or from this process', () => {
    expect(planFor({ attempt: opened({ certificateId: 8 }) })).toMatchObject({
      do: 'resume',
      bought: ref(8),
    });
    expect(planFor({ attempt: opened({}, heard) })).toMatchObject({ do: 'resume', bought: ref(9) });
  });

  test('is believed although the seal of the status is broken, since no tenant writes the journal', () => {
    expect(planFor({ attempt: opened({ certificateId: 8 }), sealed: false })).toMatchObject({
      do: 'resume',
      bought: ref(8),
    });
  });

  test('putBackUnsure: is not believed in its id if the journal was put back', () => {
    const putBack = opened({ certificateId: 8 }, { isPutBack: true });
    expect(planFor({ attempt: putBack }).do).toBe('wait');
    expect(planFor({ attempt: { ...putBack, ...heard } })).toMatchObject({ do: 'resume', bought: ref(9) });
  });

  test('whose certificate the status has is only ended', () => {
    const own = opened({ certificateId: 7, revision: 2 });
    expect(planFor({ status: issued, attempt: own })).toEqual({ do: 'close' });
  });

  test('is not ended on the word of a status that somebody else may have written', () => {
    const own = opened({ certificateId: 7, revision: 2 });
    expect(planFor({ status: issued, sealed: false, attempt: own })).toMatchObject({
      do: 'resume',
      bought: ref(7),
    });
  });
});

describe.each<[string, Partial<Attempt>]>([
  ['another spec', { specHash: specHash({ ...spec, dnsNames: ['old.example.com'] }) }],
  ['another authority', { authorityId: 2 }],
  ['another account', { account: otherAccount }],
])('concludeFirst: an attempt for %s', (_, other) => {
  test('is waited out and looked up all the same', () => {
    expect(planFor({ attempt: opened(other) }).do).toBe('wait');
    expect(planFor({ attempt: opened(other), monotonic: QUIET_AT }).do).toBe('recover');
  });

  test.each([
    ['has none', {}],
    ['is served the right one again', issued],
  ] as const)('gives up what it is known to have bought, if the resource %s', (_name, status) => {
    const outdated = opened({ ...other, revision: 2 }, heard);
    expect(planFor({ status, attempt: outdated })).toEqual({ do: 'close', givesUp: ref(9) });
  });

  test('gives up nothing if the status has what it bought', () => {
    const own = opened(other, { progress: { is: 'bought', bought: ref(7) } });
    expect(planFor({ status: issued, attempt: own })).toEqual({ do: 'close' });
  });

  test('is ended at once if nothing of it was sent', () => {
    expect(planFor({ attempt: opened(other, unsent) })).toEqual({ do: 'close' });
  });

  test('is followed by what the resource needs', () => {
    expect(planFor({})).toMatchObject({ do: 'issue', operation: 'New' });
  });
});

describe('reachedDropped: an attempt whose revision the status has reached', () => {
  const reached = { status: issued, secret: inputs().secret } as const;

  test('gives up what it is known to have bought', () => {
    expect(planFor({ ...reached, attempt: opened({}, heard) })).toEqual({ do: 'close', givesUp: ref(9) });
  });

  test('is ended at once if nothing of it was sent', () => {
    expect(planFor({ ...reached, attempt: opened({}, unsent) })).toEqual({ do: 'close' });
  });

  test('is waited out and looked up if it may have been sent: what it bought is put on record', () => {
    expect(planFor({ ...reached, attempt: opened() }).do).toBe('wait');
    expect(planFor({ ...reached, attempt: opened(), monotonic: QUIET_AT }).do).toBe('recover');
  });

  test.each<[string, Given]>([
    ['the status has not reached it', { attempt: opened({ revision: 2 }, heard) }],
    ['the status has it for another request', { status: { ...issued, specHash: 'v1:other' } }],
    ['the status has it at another authority', { status: { ...issued, authorityId: 2 } }],
    ['the status has it at another account', { status: { ...issued, account: otherAccount } }],
    ['the seal of the status is broken', { sealed: false }],
  ])('goes on if %s', (_, given) => {
    expect(planFor({ ...reached, attempt: opened({}, heard), ...given })).toMatchObject({
      do: 'resume',
      bought: ref(9),
    });
  });
});

describe('heldNotGivenUp: an attempt for an earlier spec whose certificate the Secret holds', () => {
  const earlier = { ...issued, specHash: 'v1:earlier' };
  const metadata = { namespace: 'ns', name: 'web-tls', uid: 'secret-uid', resourceVersion: '11' };
  const holds = (claimed: typeof heard.progress.bought): ReturnType<typeof inputs>['secret'] =>
    ({
      state: 'changed',
      metadata,
      content: { claimed },
      hasOutputs: true,
      hasMetadata: true,
    }) as ReturnType<typeof inputs>['secret'];
  const attempted = opened({ specHash: 'v1:between', revision: 2 }, heard);
  const given = { status: earlier, secret: holds(ref(9)), attempt: attempted } as const;

  test.each<[string, Given]>([
    ['if the resource has another certificate', given],
    ['if the resource has none', { ...given, status: {}, sealed: false }],
  ])('is taken into status, %s', (_, change) => {
    expect(planFor(change)).toEqual({ do: 'take', bought: ref(9) });
  });

  test.each<[string, Given]>([
    ['the Secret holds another certificate', { secret: holds(ref(8)) }],
    ['the Secret has gone', { secret: { state: 'absent' } }],
    ['the spec asks again for what the status has', { status: issued }],
    ['the seal of the status is broken', { sealed: false }],
  ])('is given up if %s', (_, change) => {
    expect(planFor({ ...given, ...change })).toEqual({ do: 'close', givesUp: ref(9) });
  });

  test('of another account than the issuer’s is given up', () => {
    const other = { ...ref(9), account: otherAccount };
    const elsewhere = { ...attempted, progress: { is: 'bought', bought: other } } as const;
    expect(planFor({ ...given, secret: holds(other), attempt: elsewhere })).toEqual({
      do: 'close',
      givesUp: other,
    });
  });
});
