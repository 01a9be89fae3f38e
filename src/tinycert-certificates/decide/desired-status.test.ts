import { describe, expect, test } from 'vitest';
import { attempt, DAY, inputs, ISSUED, issued, openAttempt } from '../../../test/support/inputs/inputs.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { decide } from './plan.ts';
import { settledCondition } from './readiness.ts';
import type { Plan } from './types.ts';
import type { Inputs } from '../context/inputs.ts';

type Given = Parameters<typeof inputs>[0];

const due = ISSUED + 80 * DAY;
const { renewalTime: _, ...unplanned } = issued;
const hold: CertificateStatus = { ...unplanned, certificateStatus: 'hold', observedDesiredStatus: 'Hold' };
const revoked: CertificateStatus = {
  ...unplanned,
  certificateStatus: 'revoked',
  observedDesiredStatus: 'Revoked',
};
const open = { attempt: { ...openAttempt, attempt: { ...attempt, revision: 2 } } };
const absent: Inputs['secret'] = { state: 'absent' };

function outcome(plan: Plan): string {
  return plan.do === 'report' ? `${plan.do} ${plan.why.reason}` : plan.do;
}

/** The table of docs/lifecycle.md: what is done in each state. */
describe.each<[string, Given, Record<string, string>]>([
  [
    'nothing in particular',
    {},
    { first: 'issue', spec: 'issue', due: 'issue', absent: 'republish', recover: 'recover' },
  ],
  [
    'suspend',
    { spec: { suspend: true } },
    {
      first: 'report Suspended',
      spec: 'report Suspended',
      due: 'report Suspended',
      absent: 'report Suspended',
      recover: 'report Suspended',
    },
  ],
  [
    'renewal Disabled',
    { spec: { renewal: { policy: 'Disabled' } } },
    { first: 'issue', spec: 'issue', due: 'updateStatus', absent: 'republish', recover: 'recover' },
  ],
  [
    'desiredStatus Hold',
    { spec: { desiredStatus: 'Hold' } },
    {
      first: 'report OnHold',
      spec: 'report OnHold',
      due: 'report OnHold',
      absent: 'republish',
      recover: 'recover',
    },
  ],
  [
    'desiredStatus Revoked',
    { spec: { desiredStatus: 'Revoked' } },
    {
      first: 'report Revoked',
      spec: 'report Revoked',
      due: 'report Revoked',
      absent: 'report Revoked',
      recover: 'recover',
    },
  ],
  [
    'somebody else’s hold',
    { status: hold },
    { first: 'issue', spec: 'issue', due: 'updateStatus', absent: 'republish', recover: 'recover' },
  ],
  [
    'somebody else’s revocation',
    { status: revoked },
    { first: 'issue', spec: 'issue', due: 'updateStatus', absent: 'republish', recover: 'recover' },
  ],
])('with %s', (_name, given = {}, expected) => {
  const situations: Record<string, Given> = {
    first: { status: {} },
    spec: { spec: { ...given.spec, dnsNames: ['other.example.com'] }, generation: 2 },
    due: { now: due },
    absent: { secret: absent },
    recover: open,
  };
  test.each(Object.keys(situations))('what is done: %s', (name) => {
    expect(outcome(decide(inputs({ ...given, ...situations[name] })))).toBe(expected[name]);
  });
});

describe('Ready', () => {
  test.each([
    ['hold', 'OnHold', hold],
    ['revoked', 'Revoked', revoked],
  ])('of a certificate that is %s at TinyCert is False at once', (_status, reason, status) => {
    const given = inputs({ status });
    expect(decide(given).do).toBe('updateStatus');
    expect(settledCondition(given)).toMatchObject({ type: 'Ready', status: 'False', reason });
  });

  test('of a suspended certificate stays True until it ends, and is looked at then', () => {
    const given = { spec: { suspend: true }, now: due };
    const plan = decide(inputs(given));
    expect(plan).toMatchObject({
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'Issuing', status: 'False', reason: 'Suspended' },
      ],
      requeueAt: ISSUED + 90 * DAY,
    });
    expect(decide(inputs({ ...given, now: ISSUED + 91 * DAY }))).toMatchObject({
      conditions: [{ type: 'Ready', status: 'False' }, {}],
    });
  });

  test('of one that needs nothing says that it is suspended in the one write of its generation', () => {
    const given = { spec: { suspend: true }, generation: 2 };
    expect(decide(inputs(given)).do).toBe('updateStatus');
    const [ready] = issued.conditions ?? [];
    const message =
      'spec.suspend is true: nothing is issued, renewed, repaired or revoked until it is false or removed.';
    const suspended = { type: 'Issuing', status: 'False' as const, reason: 'Suspended', message };
    const conditions = [
      { ...ready, observedGeneration: 2 },
      { ...suspended, lastTransitionTime: '', observedGeneration: 2 },
    ];
    const status = { ...issued, conditions, secretGeneration: 2 } as CertificateStatus;
    expect(decide(inputs({ ...given, status })).do).toBe('nothing');
    expect(decide(inputs({ generation: 3, status })).do).toBe('updateStatus');
  });
});

test.each<[string, Given, object]>([
  [
    'issues another one after a revocation',
    { status: revoked },
    { do: 'issue', operation: 'New', why: { reason: 'Revoked' } },
  ],
  ['once', { status: { ...revoked, observedDesiredStatus: 'Good' } }, { do: 'updateStatus' }],
  ['and not after a hold', { status: hold }, { do: 'updateStatus' }],
])('desiredStatus Good %s', (_name, given, expected) => {
  const plan = decide(inputs({ ...given, spec: { desiredStatus: 'Good' } }));
  expect(plan).toMatchObject(expected);
});

test('an attempt that a recovery found nothing of is not made again while the certificate is withheld', () => {
  const given = { attempt: { ...open.attempt, progress: { is: 'fruitless' as const } } };
  expect(outcome(decide(inputs({ ...given, spec: { desiredStatus: 'Hold' } })))).toBe('report OnHold');
  expect(decide(inputs(given)).do).toBe('recover');
});
