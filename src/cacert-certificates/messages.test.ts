import { describe, expect, test } from 'vitest';
import { revokeByHand, uncertain } from './messages.ts';

const certificate = { metadata: { namespace: 'ns', name: 'mail' } };

describe('the message about an attempt with an unknown outcome', () => {
  test.each([
    [
      'points to the list of certificates if CAcert gave no request number',
      {},
      'Look for it among the client certificates of the web account (account.php?id=5). If it is there,',
    ],
    [
      'points to the page of the request if CAcert gave its number',
      { requestId: '288123' },
      'Look for it at account.php?id=6&cert=288123 of the web account (request 288123). If it is there,',
    ],
  ])('%s', (_, change, where) => {
    const { why } = uncertain(certificate, { secretName: 'mail-pending-uid', ...change });

    expect(why.reason).toBe('IssuanceUncertain');
    expect(why.message).toContain(where);
  });

  test('names the Secret that takes the certificate, and its namespace', () => {
    const { why } = uncertain(certificate, { secretName: 'mail-pending-uid' });

    expect(why.message).toContain('under tls.crt in the Secret mail-pending-uid in the namespace ns');
  });

  test('comes with a wait of at least 15 minutes', () => {
    expect(uncertain(certificate, { secretName: 'x' }).leastMs).toBe(15 * 60_000);
  });
});

test('the message about a certificate to revoke names its serial number, its end and the page', () => {
  const message = revokeByHand({ serialNumber: '0a', notAfter: '2026-04-01T00:00:00Z' });

  expect(message).toContain(
    'serial number 0a can log in to the account until it expires at 2026-04-01T00:00:00Z',
  );
  expect(message).toContain('account.php?id=5');
});
