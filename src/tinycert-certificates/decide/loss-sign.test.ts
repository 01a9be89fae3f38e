import { describe, expect, test } from 'vitest';
import { certificate, inputs, ISSUED, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { BUY_AT_ONCE_ANNOTATION } from '../../api/names.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { LossSign } from '../../issuance/tinycert/inventory/loss-signs.ts';
import { statusMayBeLost, UNCLAIMED_RECHECK_MS } from './loss-sign.ts';
import { decide } from './plan.ts';

type Given = Parameters<typeof inputs>[0] & object;

const MINUTE = 60_000;
const NOW = ISSUED + 86_400_000;
const at = (ms: number): string => new Date(NOW + ms).toISOString().replace('.000Z', 'Z');
const unclaimed = (...ids: number[]): LossSign => ({
  is: 'unclaimed',
  certificates: ids.map((id) => ref(id)),
});

/** A resource without a certificate that has lost 9 and 8, it seems. */
function lost(change: Given = {}): ReturnType<typeof inputs> {
  return inputs({
    status: {},
    secret: { state: 'absent' },
    lossSign: unclaimed(9, 8),
    now: NOW,
    ...change,
  });
}

/** A status that waits since then. */
function waiting(since: number, certificates = [ref(9), ref(8)]): CertificateStatus {
  return { unclaimedCertificates: { since: at(since), certificates } };
}

function annotated(value: string, status: CertificateStatus = {}): Given {
  const resource = certificate({ status });
  resource.metadata.annotations = { [BUY_AT_ONCE_ANNOTATION]: value };
  return { certificate: resource };
}

describe('a first purchase, while unclaimed certificates show that the status may have been lost,', () => {
  test('waits, says what for and what to do, and notes since when', () => {
    expect(decide(lost())).toEqual({
      do: 'report',
      why: {
        reason: 'UnclaimedCertificates',
        message: `TinyCert has good certificates for exactly these names that were issued after this resource was made, and no resource claims them: 9, 8. The status of this resource may have been lost, for example with a backup that was put back. If you have the Secret of one of them, put it back, and the operator adopts it. Otherwise another certificate is bought at ${at(15 * MINUTE)}. To buy it at once: kubectl annotate tinycertcertificate web --namespace ns tinycert-operator.io/buy-at-once=true`,
      },
      conditions: [
        expect.objectContaining({ type: 'Ready', status: 'False', reason: 'UnclaimedCertificates' }),
        expect.objectContaining({ type: 'Issuing', status: 'False', reason: 'UnclaimedCertificates' }),
      ],
      change: waiting(0),
      requeueAt: NOW + UNCLAIMED_RECHECK_MS,
    });
  });

  test.each<[string, Given, number]>([
    ['the whole time', {}, 15 * MINUTE],
    ['the rest of it, also after a restart', { status: waiting(-10 * MINUTE) }, 5 * MINUTE],
    ['another time by flag', { unclaimedWaitMs: 60 * MINUTE }, 60 * MINUTE],
    ['the whole time with another value of the annotation', annotated('false'), 15 * MINUTE],
    ['the whole time if its status names a time far ahead', { status: waiting(86_400_000) }, 15 * MINUTE],
    ['no longer if its status is ahead by a clock’s skew', { status: waiting(MINUTE) }, 15 * MINUTE],
    [
      'the whole time if it waited at another account',
      { status: waiting(-10 * MINUTE, [ref(9, { account: otherAccount })]) },
      15 * MINUTE,
    ],
    ['the rest for other ids of the same authority', { status: waiting(-10 * MINUTE, [ref(5)]) }, 5 * MINUTE],
  ])('waits for %s', (_, given, ms) => {
    const message = expect.stringContaining(`is bought at ${at(ms)}. `) as string;
    expect(decide(lost(given))).toMatchObject({ do: 'report', why: { message } });
  });

  test.each<[string, Given]>([
    ['it has waited', { status: waiting(-15 * MINUTE) }],
    ['the operator was down for that long', { status: waiting(-86_400_000) }],
    ['nothing is to wait, by flag', { unclaimedWaitMs: 0 }],
    ['it has the annotation', annotated('true')],
    ['it gets the annotation while it waits', annotated('true', waiting(-MINUTE))],
  ])('buys once %s', (_, given) => {
    expect(decide(lost(given))).toMatchObject({ do: 'issue', operation: 'New' });
  });

  test('once it buys all the same, puts them on record', () => {
    expect(decide(lost({ status: waiting(-15 * MINUTE) }))).toMatchObject({ unclaimed: [ref(9), ref(8)] });
  });

  test('names five of many, and notes ten', () => {
    const many = Array.from({ length: 30 }, (_, i) => 100 - i);
    const blocker = statusMayBeLost(lost({ lossSign: unclaimed(...many) }), { remedy: 'issue' });
    expect(blocker?.message).toContain('claims them: 100, 99, 98, 97, 96 and 25 more. ');
    expect(blocker?.change).toEqual(
      waiting(
        0,
        many.slice(0, 10).map((id) => ref(id)),
      ),
    );
  });

  test.each<[string, Given]>([
    ['a suspension', { spec: { suspend: true } }],
    ['a Secret of somebody else', { secret: { state: 'foreign', reason: 'SecretNotOwned', message: '' } }],
    ['an issuer that is not ready', { issuer: undefined, issuerExists: false }],
    ['a stopped account', { turn: { phase: 'stopped', epoch: 1 } }],
  ])('reports %s first', (_, given) => {
    const plan = decide(lost(given));
    expect(plan).toMatchObject({ do: 'report' });
    expect(plan).not.toMatchObject({ why: { reason: 'UnclaimedCertificates' } });
  });

  test('has the Secret prove what it can first', () => {
    const content = { leaf: { notBefore: NOW - 1, notAfter: NOW + 1 } };
    const secret = { state: 'changed', content } as Given['secret'] & object;
    expect(decide(lost({ secret, sealed: false }))).toEqual({ do: 'adopt' });
    expect(decide(lost({ secret, sealed: false, lossSign: { is: 'unknown' } }))).toEqual({ do: 'adopt' });
  });
});

test('what is reported is written once: the next decision says the same', () => {
  const now = NOW + 2_789;
  const first = decide(lost({ now }));
  if (first.do !== 'report') throw new Error('It does not wait.');
  const status = first.change as CertificateStatus;
  const later = decide(lost({ now: now + UNCLAIMED_RECHECK_MS, status }));
  expect(later).toMatchObject({ conditions: first.conditions, change: status });
});

describe('nothing waits for that', () => {
  test('if nothing was lost', () => {
    expect(decide(lost({ lossSign: { is: 'none' } }))).toMatchObject({ do: 'issue' });
    expect(decide(lost({ lossSign: { is: 'none' } }))).not.toHaveProperty('unclaimed');
  });

  test('if a marker proves what was lost: it is adopted', () => {
    const lossSign: LossSign = { is: 'own', certificate: ref(9), requestHash: 'v1:0' };
    expect(decide(lost({ lossSign }))).toMatchObject({ do: 'issue' });
  });

  test('before the list has been read', () => {
    expect(decide(lost({ lossSign: { is: 'unknown' } }))).toEqual({ do: 'lookForLoss' });
  });

  test('in a renewal', () => {
    const due = { lossSign: unclaimed(9), now: ISSUED + 60 * 86_400_000 };
    expect(decide(inputs(due))).toMatchObject({ do: 'issue', operation: 'Reissue' });
    expect(statusMayBeLost(inputs(due), { remedy: 'renew' })).toBeUndefined();
  });
});
