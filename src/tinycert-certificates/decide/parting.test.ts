import { expect, test } from 'vitest';
import { attempt, issued } from '../../../test/support/inputs.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { dutiesOnDelete } from './parting.ts';

type Action = 'None' | 'Hold' | 'Revoke';

const pending = (certificateId: number, action: 'Hold' | 'Revoke') => ({
  certificateId,
  action,
  notBefore: '2026-01-01T00:00:00Z',
});

test.each<[string, Action, CertificateStatus | undefined, number[], Record<number, string>]>([
  ['nothing was issued', 'Revoke', undefined, [], {}],
  ['nothing was promised', 'None', { ...issued, formerCertificateIds: [3] }, [4], {}],
  ['it has a certificate', 'Revoke', issued, [], { 7: 'Revoke' }],
  ['it is to be held', 'Hold', issued, [], { 7: 'Hold' }],
  [
    'it had others before',
    'Revoke',
    { ...issued, formerCertificateIds: [3, 5] },
    [],
    { 3: 'Revoke', 5: 'Revoke', 7: 'Revoke' },
  ],
  [
    'another one was bought and is not in the Secret yet',
    'Revoke',
    { ...issued, attempt: { ...attempt, certificateId: 9 } },
    [],
    { 7: 'Revoke', 9: 'Revoke' },
  ],
  ['a recovery found another one', 'Revoke', issued, [9], { 7: 'Revoke', 9: 'Revoke' }],
  [
    'a replaced one still waits, and the rest was promised nothing',
    'None',
    { ...issued, pendingRevocations: [pending(3, 'Hold')] },
    [],
    { 3: 'Hold' },
  ],
  [
    'a replaced one was to be held, and all are to be revoked',
    'Revoke',
    { ...issued, pendingRevocations: [pending(3, 'Hold')] },
    [],
    { 3: 'Revoke', 7: 'Revoke' },
  ],
  [
    'a replaced one was to be revoked, and all are to be held',
    'Hold',
    { ...issued, formerCertificateIds: [3], pendingRevocations: [pending(3, 'Revoke')] },
    [],
    { 3: 'Revoke', 7: 'Hold' },
  ],
])('what is due when it is deleted and %s', (_, onDelete, status, found, expected) => {
  const revocation = { onDelete, onReplace: 'None', delay: '1h', onExternalRevocation: 'Report' } as const;
  const duties = dutiesOnDelete({ revocation }, status, found);
  expect(Object.fromEntries(duties.map(({ certificateId, action }) => [certificateId, action]))).toEqual(
    expected,
  );
  expect(duties).toHaveLength(Object.keys(expected).length);
});
