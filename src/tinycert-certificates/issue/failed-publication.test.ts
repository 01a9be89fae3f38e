import { describe, expect, test } from 'vitest';
import { aWorld, found, issuing } from '../../../test/support/inputs/failure-world.ts';
import { attempt, issued, ref } from '../../../test/support/inputs/inputs.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { MaterialError } from '../../issuance/secret/check-material.ts';
import { abandoned } from '../../issuance/tinycert/records.ts';
import { TermOver } from '../../journal/errors.ts';
import { ApiError } from '../../kube/errors.ts';
import { AppError } from '../../lib/errors.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import type { Publication } from '../decide/types.ts';
import { afterFailedPublication } from './failure.ts';

function conflict(): ApiError {
  return new ApiError({ status: 409, reason: 'Conflict', message: '', verb: 'patch', resource: 'secrets' });
}

describe('after a certificate could not be published', () => {
  const publication = { certificate: ref(9), outcome: 'success' } as const;

  test.each<[string, Error, string[], string | undefined]>([
    [
      'one that fails the checks is fetched again after a backoff',
      new MaterialError('InvalidKeyPair', 'The key does not fit.'),
      ['warned InvalidKeyPair'],
      'False InvalidKeyPair',
    ],
    [
      'one whose Secret cannot be written is written again after a backoff',
      new ApiError({ status: 403, reason: 'Forbidden', message: 'no', verb: 'create', resource: 'secrets' }),
      ['warned SecretNotWritten'],
      'False SecretNotWritten',
    ],
    [
      'one that an outage interrupts waits at the gate',
      new TinyCertError('UnknownError', { call: 'cert/get', maybeExecuted: false }),
      ['failed 0 UnknownError', 'park 0'],
      'False IssuerNotReady',
    ],
    ['one whose Secret another process wrote is decided again at once', conflict(), [], undefined],
  ])('%s, and its id is kept with the attempt', async (_, error, told, want) => {
    const world = await aWorld();
    await afterFailedPublication(world.work, publication, error);
    expect(world.told).toEqual(told);
    expect(issuing(world)).toBe(want);
    expect(found(world)?.attempt).toEqual({ ...attempt, certificateId: 9 });
  });

  test('what a recovery found besides is put on record with its id, since the next try does not know it', async () => {
    const world = await aWorld();
    const { view } = world.work;
    const records = [abandoned(view, 'uid', attempt)];
    await afterFailedPublication(world.work, { ...publication, outcome: 'adopted', records }, conflict());
    expect([...view.records()]).toMatchObject([{ is: 'abandoned', uid: 'uid' }]);
  });

  test('what the journal has already costs no write of it', async () => {
    const world = await aWorld({ asked: { certificateId: 9 } });
    const before = world.journal.sent;
    await afterFailedPublication(world.work, publication, conflict());
    expect([world.journal.sent - before, world.writes]).toEqual([0, []]);
    expect(found(world)).toEqual(world.open);
  });

  test('a journal that was found changed is none of its faults', async () => {
    const world = await aWorld();
    const error = new TermOver('changed');
    await expect(afterFailedPublication(world.work, publication, error)).rejects.toBe(error);
    world.journal.change({ other: 'x' });
    await expect(afterFailedPublication(world.work, publication, conflict())).rejects.toThrow(TermOver);
    expect([world.writes, world.told]).toEqual([[], []]);
  });

  describe('the count of refusals in a row', () => {
    const material = new MaterialError('InvalidKeyPair', 'The key does not fit.');
    const denied = new TinyCertError('NotFound', { call: 'cert/get' });
    const access = new TinyCertError('AccessDenied', { call: 'cert/get' });
    const gone = new AppError('CertificateGone', '');
    const before = (certificateId: number) => ({ ...ref(certificateId), count: 3, confirmed: true });

    test.each<[string, Error, number | undefined, object | null | undefined]>([
      ['begins with the first', denied, undefined, { ...ref(9), count: 1, confirmed: false }],
      ['goes on with the next', access, 9, { ...ref(9), count: 4, confirmed: false }],
      ['begins anew with another certificate', denied, 8, { ...ref(9), count: 1, confirmed: false }],
      ['notes that the certificate does not exist', gone, 9, { ...ref(9), count: 4, confirmed: true }],
      ['ends once the CA hands something out', material, 9, null],
      ['is not written where there is none', material, undefined, undefined],
      ['is not changed by an outage', new TinyCertError('UnknownError', { call: 'cert/get' }), 9, undefined],
    ])('%s', async (_, error, of, want) => {
      const status = of === undefined ? {} : { refusedFetches: before(of) };
      const world = await aWorld({ status });
      await afterFailedPublication(world.work, publication, error);
      expect(world.writes.at(-1)?.status?.refusedFetches).toEqual(want);
    });
  });

  test('one that status names already is no business of an attempt', async () => {
    const world = await aWorld({ status: issued });
    const before = world.journal.sent;
    const error = new MaterialError('InvalidKeyPair', 'The key does not fit.');
    await afterFailedPublication(world.work, { certificate: ref(7), outcome: 'republished' }, error);
    expect(found(world)).toEqual(world.open);
    expect(world.journal.sent).toBe(before);
    expect(world.writes.at(-1)?.status?.failedAttempts).toBe(1);
  });
});

test.each<[string, Publication['outcome'], TinyCertCertificate['status'], boolean]>([
  ['a new certificate', 'success', {}, true],
  ['one that a recovery found', 'adopted', {}, true],
  ['one that is restored after a failure', 'republished', { ...issued, failedAttempts: 1 }, true],
  ['one that is restored, which was counted before', 'republished', issued, false],
])(
  'a Secret that others write whenever %s is written to it is fetched for ever more rarely',
  async (_, outcome, status, isCounted) => {
    const world = await aWorld({ status, asked: { certificateId: 9 } });
    const { repairLimiter } = world.work.deps;
    const waits: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      await afterFailedPublication(world.work, { certificate: ref(9), outcome }, conflict());
      waits.push(repairLimiter.delay('uid'));
    }
    expect(waits.map((ms) => ms > 0)).toEqual([false, false, isCounted, isCounted, isCounted]);
    expect(world.told).toEqual(isCounted ? ['warned SecretContested'] : []);
  },
);
