import { describe, expect, test } from 'vitest';
import { attempt, inputs, issued, spec, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { specHash } from '../../api/tinycert/effective.ts';
import { decide } from './plan.ts';

const brandNew = { status: {} satisfies CertificateStatus, secret: { state: 'absent' } } as const;
const open: CertificateStatus = { attempt };

describe('an attempt without a result', () => {
  const known = { quietAt: 2_000_000, progress: { is: 'open' as const } };

  test('is waited out before anything else is done', () => {
    expect(decide(inputs({ ...brandNew, status: open, attempt: known }))).toMatchObject({
      do: 'wait',
      quietAt: 2_000_000,
    });
  });

  test('is looked up once nothing of it can happen any more', () => {
    expect(decide(inputs({ ...brandNew, status: open, attempt: known, monotonic: 2_000_000 })).do).toBe(
      'recover',
    );
  });

  test.each(['New', 'Reissue'] as const)(
    'unsentKeepsOperation: is made again at once as the %s it was, if nothing of it was sent',
    (operation) => {
      const unsent = { ...known, progress: { is: 'unsent' as const } };
      const status = { ...issued, attempt: { ...attempt, operation, previousId: 7 } };
      expect(decide(inputs({ status, attempt: unsent }))).toMatchObject({ do: 'issue', operation });
    },
  );

  test('is waited out without a word, since nobody can do anything about it', () => {
    const notReady = { ready: false, reason: 'Unreachable', message: 'no' } as const;
    const waiting = { ...brandNew, status: open, attempt: known, issuer: notReady };
    expect(decide(inputs(waiting))).toEqual({ do: 'wait', quietAt: 2_000_000 });
  });

  test('is waited out with a word where Ready says what is no longer so', () => {
    const status = { ...issued, attempt: { ...attempt, number: 2 } };
    const plan = decide(inputs({ status, attempt: known, spec: { dnsNames: ['new.example.com'] } }));
    expect(plan).toMatchObject({ do: 'wait', conditions: [{ type: 'Ready', status: 'False' }, {}] });
  });

  test('is gone on with if its id is known, from status or from this process', () => {
    const named = { attempt: { ...attempt, certificateId: 8 } };
    expect(decide(inputs({ ...brandNew, status: named, attempt: known }))).toMatchObject({
      do: 'resume',
      bought: ref(8),
    });
    const heard = { ...known, progress: { is: 'bought' as const, bought: ref(9) } };
    expect(decide(inputs({ ...brandNew, status: open, attempt: heard }))).toMatchObject({
      do: 'resume',
      bought: ref(9),
    });
  });

  test('is not believed if its id has no seal', () => {
    const named = { attempt: { ...attempt, certificateId: 8 } };
    expect(decide(inputs({ ...brandNew, status: named, attempt: known, sealed: false })).do).toBe('wait');
  });

  describe('for a spec or an authority that has changed since', () => {
    const outdated = {
      attempt: { ...attempt, specHash: specHash({ ...spec, dnsNames: ['old.example.com'] }) },
    };
    const elsewhere = { attempt: { ...attempt, authorityId: 2 } };
    const otherLogin = { attempt: { ...attempt, account: otherAccount } };

    test.each([outdated, elsewhere, otherLogin])(
      'concludeFirst: is waited out and looked up all the same',
      (status) => {
        expect(decide(inputs({ ...brandNew, status, attempt: known })).do).toBe('wait');
        expect(decide(inputs({ ...brandNew, status, attempt: known, monotonic: 2_000_000 })).do).toBe(
          'recover',
        );
      },
    );

    test.each([outdated, elsewhere, otherLogin])(
      'concludeFirst: gives up what it is known to have bought, and another is asked for',
      (status) => {
        const heard = { ...known, progress: { is: 'bought' as const, bought: ref(9) } };
        expect(decide(inputs({ ...brandNew, status, attempt: heard }))).toMatchObject({
          do: 'issue',
          operation: 'New',
          givesUp: ref(9),
        });
      },
    );

    test.each([outdated, elsewhere, otherLogin])(
      'concludeFirst: is only ended where the certificate that is served is the right one again',
      (status) => {
        const heard = { ...known, progress: { is: 'bought' as const, bought: ref(9) } };
        const all = { ...issued, attempt: { ...status.attempt, number: 2 } };
        expect(decide(inputs({ status: all, attempt: heard }))).toEqual({ do: 'close', givesUp: ref(9) });
      },
    );

    test('is replaced at once if nothing of it was sent', () => {
      const plan = decide(
        inputs({ ...brandNew, status: outdated, attempt: { ...known, progress: { is: 'unsent' as const } } }),
      );
      expect(plan).toMatchObject({ do: 'issue', operation: 'New' });
      expect(plan).not.toHaveProperty('givesUp');
    });
  });
});
