import { describe, expect, test } from 'vitest';
import {
  attempt,
  certificate,
  DAY,
  inputs,
  ISSUED,
  issued,
  openAttempt,
  readyIssuer,
  spec,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import { effectiveNames } from '../../api/tinycert/effective.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { SecretContent } from '../../issuance/secret/read-secret.ts';
import { decide } from './plan.ts';
import { settledCondition } from './readiness.ts';
import type { Plan } from './types.ts';
import type { Inputs } from '../context/inputs.ts';

const brandNew = { status: {} satisfies CertificateStatus, secret: { state: 'absent' } } as const;
const due = ISSUED + 60 * DAY;

function reasonOf(plan: Plan): string | undefined {
  return 'why' in plan ? plan.why.reason : undefined;
}

function contentWith(serialNumber: string): SecretContent {
  const leaf = {
    serialNumber,
    notBefore: ISSUED,
    notAfter: Date.parse(issued.notAfter ?? ''),
    names: effectiveNames(spec),
  } as SecretContent['leaf'];
  const key = {} as SecretContent['key'];
  return { leaf, intermediates: [], root: leaf, key, claimed: ref(7) };
}

function changed(
  content: SecretContent | undefined,
  { hasOutputs = content !== undefined, hasMetadata = true } = {},
): Inputs['secret'] {
  return {
    state: 'changed',
    metadata: { namespace: 'ns', name: 'web-tls', resourceVersion: '11' },
    content,
    hasOutputs,
    hasMetadata,
  };
}

describe('what is needed', () => {
  test.each<[string, Parameters<typeof inputs>[0], Plan['do'], string | undefined]>([
    ['nothing for a certificate that is served and valid', {}, 'nothing', undefined],
    ['a certificate for a new resource', brandNew, 'issue', 'DoesNotExist'],
    [
      'another one when the spec asks for other names',
      { spec: { dnsNames: ['other.example.com'] }, generation: 2 },
      'issue',
      'RequestChanged',
    ],
    [
      'only a line in status when the spec says the same in other words',
      { spec: { dnsNames: ['WWW.example.com'] }, generation: 2 },
      'updateStatus',
      undefined,
    ],
    [
      'another one when the issuer names another authority',
      { status: { ...issued, authorityId: 2 } },
      'issue',
      'IncorrectIssuer',
    ],
    ['a renewal when it is due', { now: due }, 'issue', 'Renewing'],
    ['nothing a moment before it is due', { now: due - 1 }, 'nothing', undefined],
    ['a renewal of one that has expired', { now: ISSUED + 91 * DAY }, 'issue', 'Expired'],
    [
      'a line in status when renewal was moved',
      { spec: { renewBefore: '240h' }, generation: 2 },
      'updateStatus',
      undefined,
    ],
    [
      'the same certificate again when the Secret is gone',
      { secret: { state: 'absent' } },
      'republish',
      'SecretMissing',
    ],
    [
      'the same certificate again when the Secret is damaged',
      { secret: changed(undefined) },
      'republish',
      'SecretMismatch',
    ],
    [
      'its files again, without a call to the CA, when the spec wants others of the same certificate',
      { secret: changed(contentWith('07'), { hasOutputs: false }) },
      'syncSecret',
      undefined,
    ],
    [
      'the same certificate again when the Secret holds another',
      { secret: changed(contentWith('08')) },
      'republish',
      'SecretMismatch',
    ],
    [
      'a line in status when the Secret was only touched',
      { secret: changed(contentWith('07')) },
      'updateStatus',
      undefined,
    ],
    [
      'labels back on a Secret that lost them',
      { secret: changed(contentWith('07'), { hasMetadata: false }) },
      'syncSecret',
      undefined,
    ],
  ])('%s', (_, given, want, reason) => {
    const plan = decide(inputs(given));

    expect(plan.do).toBe(want);
    expect(reasonOf(plan)).toBe(reason);
  });

  test('a renewal keeps the key unless the spec asks for another', () => {
    expect(decide(inputs({ now: due }))).toMatchObject({ do: 'issue', operation: 'Reissue' });
    const always = { privateKey: { rotationPolicy: 'Always' } } as const;
    expect(decide(inputs({ now: due, spec: always }))).toMatchObject({ do: 'issue', operation: 'New' });
  });

  test('the next look is at the time of renewal', () => {
    expect(decide(inputs())).toEqual({ do: 'nothing', requeueAt: due });
  });
});

describe('a certificate that is not renewed', () => {
  const end = ISSUED + 90 * DAY;
  const disabled = { renewal: { policy: 'Disabled' } } as const;
  const { renewalTime: _, ...unplanned } = issued;

  test.each<[string, Parameters<typeof inputs>[0]]>([['by its spec', { spec: disabled, status: unplanned }]])(
    '%s is looked at when it ends, and that it has ended is written once',
    (_, given) => {
      expect(decide(inputs({ ...given, now: due }))).toEqual({ do: 'nothing', requeueAt: end });
      const ended = inputs({ ...given, now: end });
      expect(decide(ended).do).toBe('updateStatus');
      const said = settledCondition(ended);
      expect(said).toMatchObject({ type: 'Ready', status: 'False', reason: 'Expired' });
      const conditions = [{ ...said, lastTransitionTime: '', observedGeneration: 1 }];
      const status = { ...unplanned, ...given?.status, conditions };
      expect(decide(inputs({ ...given, status, now: end + DAY }))).toEqual({ do: 'nothing' });
    },
  );

  test('loses its time of renewal in status, in one write', () => {
    expect(decide(inputs({ spec: disabled, generation: 2 })).do).toBe('updateStatus');
  });

  test('is issued anew all the same when the spec asks for other names', () => {
    const spec = { ...disabled, dnsNames: ['other.example.com'] };
    expect(reasonOf(decide(inputs({ spec, generation: 2 })))).toBe('RequestChanged');
  });
});

describe('a certificate that is renewed in windows', () => {
  const within = (cron: string): Parameters<typeof inputs>[0] => ({
    spec: {
      renewal: {
        policy: 'RenewBefore',
        jitterPercent: 0,
        windows: [{ cron, timezone: 'UTC', windowDuration: '1h' }],
      },
    },
  });
  const opens = Date.parse('2026-03-07T03:00:00Z');

  test('waits for one that opens in time, and is renewed within it', () => {
    const saturdays = within('0 3 * * 6');
    expect(decide(inputs({ ...saturdays, now: due })).do).toBe('updateStatus');
    expect(reasonOf(decide(inputs({ ...saturdays, now: opens + 3_599_000 })))).toBe('Renewing');
    expect(decide(inputs({ ...saturdays, now: opens + 3_600_000 })).do).toBe('updateStatus');
  });

  test('is renewed when it is due, and says so, if none opens in time', () => {
    const plan = decide(inputs({ ...within('0 3 24 12 *'), now: due }));
    expect(plan).toMatchObject({
      do: 'issue',
      operation: 'Reissue',
      why: { reason: 'RenewalOutsideWindow' },
    });
  });
});

describe('a status without its seal is first proved by what the Secret holds', () => {
  const unsealed = { sealed: false } as const;
  const waiting = { ...openAttempt, quietAt: 2_000_000, attempt: { ...attempt, revision: 2 } };

  test.each<[string, Parameters<typeof inputs>[0], Plan['do']]>([
    ['when nothing is needed, it stays as it is', {}, 'nothing'],
    ['when it is due, from an unchanged Secret', { now: due }, 'adopt'],
    [
      'when the CA no longer lists the certificate',
      { observed: { certificate: ref(7), from: 'good', to: 'unlisted', candidates: [] } },
      'adopt',
    ],
    ['when the spec changed', { spec: { dnsNames: ['b.example.com'] }, generation: 2 }, 'adopt'],
    ['when only status is to be written', { generation: 2 }, 'adopt'],
    ['when the Secret was touched', { secret: changed(contentWith('07')) }, 'adopt'],
    ['when the Secret holds another certificate', { secret: changed(contentWith('08')) }, 'adopt'],
    ['unless the Secret is damaged', { secret: changed(undefined) }, 'report'],
    [
      'unless the issuer is not ready',
      { now: due, issuer: { ready: false, reason: 'x', message: 'x' } },
      'report',
    ],
    ['when an open attempt has been waited out', { attempt: waiting, monotonic: 2_000_000 }, 'adopt'],
    ['but not before', { attempt: waiting }, 'wait'],
  ])('%s', (_, given, want) => {
    expect(decide(inputs({ ...unsealed, ...given })).do).toBe(want);
  });

  test.each<[string, Parameters<typeof inputs>[0], Plan['do']]>([
    ['looks at one for its names', {}, 'adopt'],
    ['looks at one for other names, not to lose it', { spec: { dnsNames: ['b.example.com'] } }, 'adopt'],
    ['does not look at one that has expired', { now: ISSUED + 91 * DAY }, 'issue'],
    ['does not look at one that is not valid yet', { now: ISSUED - DAY }, 'issue'],
    ['does not look at anything that is not whole', { secret: changed(undefined) }, 'issue'],
    ['does not look at what is somebody else’s', { elder: 'first' }, 'report'],
  ])('and a resource without a certificate %s', (_, given, want) => {
    const fresh = { ...unsealed, status: {}, secret: changed(contentWith('07')) };
    expect(decide(inputs({ ...fresh, ...given })).do).toBe(want);
  });
});

describe('what stands in the way', () => {
  const notReady = { ready: false, reason: 'ApiKeyMismatch', message: 'no' } as const;
  const foreign = { state: 'foreign', reason: 'SecretNotOwned', message: 'not ours' } as const;
  const failed = (more: CertificateStatus, observedGeneration = 1): CertificateStatus => ({
    failedAttempts: 1,
    lastFailure: { reason: 'InputFailure', message: 'no', observedGeneration },
    ...more,
  });

  test.each<[string, Parameters<typeof inputs>[0], string]>([
    [
      'an issuer that does not exist',
      { ...brandNew, issuer: undefined, issuerExists: false },
      'IssuerNotFound',
    ],
    [
      'an issuer whose kind is not installed',
      { ...brandNew, issuer: undefined, issuerKindInstalled: false },
      'IssuerNotReady',
    ],
    ['an issuer that is not ready', { ...brandNew, issuer: notReady }, 'IssuerNotReady'],
    ['an older certificate with the same Secret', { ...brandNew, elder: 'first' }, 'DuplicateSecretName'],
    ['CRDs that are older than the operator', { ...brandNew, crdsFit: false }, 'CRDsOutdated'],
    [
      'an organizational unit where the marker stands',
      {
        ...brandNew,
        spec: { subject: { organizationalUnit: 'IT' } },
        issuer: { ready: true, issuer: { ...readyIssuer, marksFor: 'issuer-uid' } },
      },
      'OrganizationalUnitReserved',
    ],
    ['a Secret of somebody else', { status: {}, secret: foreign }, 'SecretNotOwned'],
    ['a refusal, until the spec changes', { ...brandNew, status: failed({}) }, 'InputFailure'],
    [
      'a failure, until its time has come',
      { ...brandNew, status: failed({ nextAttemptTime: '2026-06-01T00:00:00Z' }) },
      'InputFailure',
    ],
    [
      'a status without a seal where the Secret is gone',
      { sealed: false, secret: { state: 'absent' } },
      'SealBroken',
    ],
  ])('%s is said and nothing is bought', (_, given, reason) => {
    const plan = decide(inputs(given));

    expect(plan).toMatchObject({ do: 'report', why: { reason } });
  });

  test('an issuer that is being checked is waited for in silence', () => {
    expect(decide(inputs({ ...brandNew, issuer: undefined }))).toEqual({ do: 'nothing' });
  });

  test.each(['SecretNotOwned', 'IssuerNotReady', 'Suspended', 'DuplicateSecretName'])(
    'what %s said while the next attempt waits is no longer said once it is gone',
    (reason) => {
      const ended = { type: 'Issuing', status: 'False', reason, message: 'gone by now' } as const;
      const status = failed({
        nextAttemptTime: '2026-06-01T00:00:00Z',
        conditions: [{ ...ended, lastTransitionTime: '', observedGeneration: 1 }],
      });
      expect(decide(inputs({ ...brandNew, status }))).toMatchObject({
        do: 'report',
        why: { reason: 'InputFailure', message: 'no' },
      });
    },
  );
  test('a pause of the account is waited for in silence, until the certificate ends', () => {
    const paused = { turn: { phase: 'paused', epoch: 0 } } as const;
    const end = Date.parse(issued.notAfter ?? '');
    const silent = { do: 'nothing', wakeBy: 'gate', requeueAt: end };
    expect(decide(inputs({ ...paused, now: end - 1 }))).toEqual(silent);
    expect(decide(inputs({ ...paused, now: end }))).toMatchObject({
      do: 'report',
      conditions: [{ type: 'Ready', status: 'False', reason: 'RateLimited' }, {}],
      wakeBy: 'gate',
    });
  });

  test('a change of the spec ends the wait after a failure', () => {
    const status = failed({ nextAttemptTime: '2026-06-01T00:00:00Z' });
    expect(decide(inputs({ ...brandNew, status, generation: 2 })).do).toBe('issue');
  });

  test('a certificate that is served stays ready while its renewal waits for the issuer', () => {
    const plan = decide(inputs({ now: due, issuer: notReady }));

    expect(plan).toMatchObject({
      do: 'report',
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'Issuing', status: 'False', reason: 'IssuerNotReady' },
      ],
      requeueAt: Date.parse(issued.notAfter ?? ''),
    });
  });

  test('a certificate that has expired is not ready', () => {
    const plan = decide(inputs({ now: ISSUED + 91 * DAY, issuer: notReady }));

    expect(plan).toMatchObject({
      do: 'report',
      conditions: [{ type: 'Ready', status: 'False' }, { type: 'Issuing' }],
    });
  });
});

describe('a seal that holds by one key', () => {
  const { monotonic, now } = inputs();

  test('is written again in its turn', () => {
    expect(decide(inputs({ resealAt: monotonic }))).toEqual({ do: 'reseal' });
  });

  test('is reconciled then, if nothing comes sooner', () => {
    expect(decide(inputs({ resealAt: monotonic + 5_000 }))).toEqual({
      do: 'nothing',
      requeueAt: now + 5_000,
    });
    const later = monotonic + 365 * DAY;
    expect(decide(inputs({ resealAt: later }))).toEqual(decide(inputs()));
  });

  test.each<[string, Parameters<typeof inputs>[0]]>([
    ['a renewal, whose result is sealed', { now: due }],
    ['a Secret that is gone', { secret: { state: 'absent' } }],
    ['an update of status', { generation: 2 }],
  ])('comes after %s', (_, given) => {
    expect(decide(inputs({ ...given, resealAt: monotonic }))).toEqual(decide(inputs(given)));
  });

  test('is not written under CRDs that cannot hold it', () => {
    expect(decide(inputs({ resealAt: monotonic, crdsFit: false }))).toMatchObject({ do: 'nothing' });
  });
});

test('deciding twice from the same inputs gives the same plan', () => {
  expect(decide(inputs({ certificate: certificate({ status: issued }) }))).toEqual(decide(inputs()));
});
