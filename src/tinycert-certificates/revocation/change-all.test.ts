import { expect, test } from 'vitest';
import { ref } from '../../../test/support/inputs/inputs.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import type { Work } from '../context/work.ts';
import { RevocationRetries, type Wanted } from '../context/revocation-retries.ts';
import { changeAll } from './change-all.ts';
import { StatusNotConfirmed } from './change-status.ts';

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
  const revocationRetries = new RevocationRetries();
  const deps = {
    revocationRetries,
    clock: new VirtualClock(),
    leads: () => true,
    timing: { sendWindow: 5_000, callDeadline: 20_000, lateExecution: 20_000 },
    metrics: { revocations: { inc: () => undefined } },
  };
  const { signal } = new AbortController();
  const issuer = { account: { digest: ref(1).account, client } };
  const work = { deps, issuer, signal, uid: 'uid' } as unknown as Work & { uid: string };
  return { asked, work, revocationRetries };
}

const refused = new TinyCertError('StatusDisallowed', { call: 'cert/status' });
const outage = new TinyCertError('UnknownError', { call: 'cert/status' });
const wanted: Wanted[] = [1, 2, 3].map((id) => ({ certificate: ref(id), status: 'revoked' }));

test.each<[string, Error, number[], number[]]>([
  ['that the CA refuses does not keep the others from being done', refused, [1, 2, 3], [1, 3]],
  ['whose status is not confirmed does not either', new StatusNotConfirmed(), [1, 2, 3], [1, 3]],
  ['that meets a fault of the account ends it', outage, [1, 2], [1]],
])('one %s', async (_, error, asks, dones) => {
  const { asked, work } = ca({ 2: error });
  const done: number[] = [];
  await expect(
    changeAll(work, wanted, undefined, ({ certificate: { certificateId } }) => done.push(certificateId)),
  ).rejects.toBe(error);
  expect(asked).toEqual(asks);
  expect(done).toEqual(dones);
});

test('what is done is told again and not asked for again, until status has it', async () => {
  const { asked, work, revocationRetries } = ca({ 2: refused });
  const told: [number, string][] = [];
  const again = (): Promise<void> =>
    changeAll(work, wanted, undefined, ({ certificate: { certificateId } }, outcome) =>
      told.push([certificateId, outcome]),
    );
  await expect(again()).rejects.toBe(refused);
  asked.length = 0;
  told.length = 0;
  await expect(again()).rejects.toBe(refused);
  expect(asked).toEqual([2]);
  expect(told).toEqual([
    [1, 'revoked'],
    [3, 'revoked'],
  ]);

  revocationRetries.recorded('uid');
  expect(revocationRetries.size).toBe(0);
  await expect(again()).rejects.toBe(refused);
  expect(asked).toEqual([2, 1, 2, 3]);
});

test('a status that a certificate was given before it was given another one is given again', () => {
  const retries = new RevocationRetries();
  const certificate = ref(1);
  retries.did('uid', { certificate, status: 'hold' }, 'hold');
  retries.did('uid', { certificate, status: 'good' }, 'good');
  expect(retries.outcomeOf('uid', { certificate, status: 'good' })).toBe('good');
  expect(retries.outcomeOf('uid', { certificate, status: 'hold' })).toBeUndefined();
});
