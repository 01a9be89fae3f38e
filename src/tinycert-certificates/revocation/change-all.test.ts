import { expect, test } from 'vitest';
import { ref } from '../../../test/support/inputs/inputs.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import type { Work } from '../context/work.ts';
import { RevocationRetries } from '../context/revocation-retries.ts';
import { changeAll, type Wanted } from './change-all.ts';

/** A CA that answers for some certificates with an error, and gives all others the status that is asked for. */
function ca(errors: Record<number, Error>) {
  const asked: number[] = [];
  const statuses = new Map<number, string>();
  const client = {
    setCertificateStatus: (id: number, status: string) => {
      asked.push(id);
      const error = errors[id];
      if (error) return Promise.reject(error);
      statuses.set(id, status);
      return Promise.resolve();
    },
    getCertificateDetails: (id: number) => Promise.resolve({ id, status: statuses.get(id) ?? 'good' }),
  };
  const deps = {
    clock: new VirtualClock(),
    leads: () => true,
    timing: { sendWindow: 5_000, callDeadline: 20_000, lateExecution: 20_000 },
    metrics: { revocations: { inc: () => undefined } },
  };
  const { signal } = new AbortController();
  const work = { deps, issuer: { account: { digest: ref(1).account, client } }, signal } as unknown as Work;
  return { asked, work };
}

const refused = new TinyCertError('StatusDisallowed', { call: 'cert/status' });
const outage = new TinyCertError('UnknownError', { call: 'cert/status' });
const wanted: Wanted[] = [1, 2, 3].map((id) => ({ certificate: ref(id), status: 'revoked' }));

test.each<[string, Error, number[], number[]]>([
  ['that the CA refuses does not keep the others from being done', refused, [1, 2, 3], [1, 3]],
  ['that meets a fault of the account ends it', outage, [1, 2], [1]],
])('one %s', async (_, error, asks, dones) => {
  const { asked, work } = ca({ 2: error });
  const done: number[] = [];
  await expect(
    changeAll(work, wanted, ({ certificate: { certificateId } }) => done.push(certificateId)),
  ).rejects.toBe(error);
  expect(asked).toEqual(asks);
  expect(done).toEqual(dones);
});

test('what is noted at once is there for a repeat, until the resource is gone', async () => {
  const retries = new RevocationRetries();
  const { work } = ca({ 2: outage });
  await expect(
    changeAll(work, wanted, ({ certificate: { certificateId } }, outcome) =>
      retries.did('uid', String(certificateId), outcome),
    ),
  ).rejects.toBe(outage);
  expect([1, 2, 3].map((id) => retries.outcomeOf('uid', String(id)))).toEqual([
    'revoked',
    undefined,
    undefined,
  ]);
  retries.forget('uid');
  expect(retries.outcomeOf('uid', '1')).toBeUndefined();
});
