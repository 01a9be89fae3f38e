import { expect, test } from 'vitest';
import { overdueIn } from './holdings.ts';
import { ref } from './verdict-scene.ts';

const promise = (certificateId: number, notBefore: string) => ({
  ...ref(certificateId),
  action: 'Revoke' as const,
  notBefore,
});

test('a promise is overdue a minute after its time, also at an account that the resource has left', () => {
  const status = {
    pendingRevocations: [promise(1, '1970-01-01T00:01:00Z'), promise(2, '1970-01-01T00:01:30Z')],
    formerAccounts: [{ pendingRevocations: [promise(3, '1970-01-01T00:00:00Z')] }],
  };

  expect(overdueIn(status, 121_000)).toEqual(['Revoke of 1', 'Revoke of 3']);
});
