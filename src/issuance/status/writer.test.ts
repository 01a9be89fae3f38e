import { describe, expect, test } from 'vitest';
import { certificate, issued } from '../../../test/support/inputs/inputs.ts';
import { StoredObject, refusal } from '../../../test/support/kube/stored-object.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { type TinyCertCertificate, certificates } from '../../api/kinds.ts';
import { CrdsOutdated } from './outdated-crds.ts';
import { StatusRefused } from './refused-status.ts';
import { LastWritten } from './last-written.ts';
import { StatusWriter } from './writer.ts';

const { signal } = new AbortController();
const kind = {
  type: certificates,
  restated: ['attemptId', 'serialNumber'],
  echoed: ['attemptId', 'seal'],
};
const notReady = { reason: 'InvalidSpec', message: 'no' };

function setUp(resource: TinyCertCertificate, { fit = true, fitAfterCheck = true } = {}) {
  const clock = new VirtualClock();
  const stored = new StoredObject(resource);
  const crds = { fit, checks: 0, check: async () => void ((crds.checks += 1), (crds.fit = fitAfterCheck)) };
  const written = new LastWritten<TinyCertCertificate>({ clock });
  const statuses = new StatusWriter({ kube: stored.kube, clock, kind, crds, written });
  return { stored, crds, written, statuses };
}

describe('a write', () => {
  test('replaces the version it is based on, keeps other fields and is remembered until the watch delivers it', async () => {
    const resource = certificate({ status: issued });
    const { stored, statuses, written } = setUp(resource);
    const answer = await statuses.write({ certificate: resource, change: { revision: 2 }, signal });
    expect(answer.status).toMatchObject({ ...issued, revision: 2 });
    expect(stored.object).toEqual(answer);
    expect(written.newest('ns/web', resource)).toEqual(answer);
  });

  test('repeats the fields that an older CRD would drop unnoticed', async () => {
    const resource = certificate({ status: issued });
    const { stored, statuses } = setUp(resource);
    await statuses.write({ certificate: resource, change: { revision: 2 }, signal });
    expect(stored.writes).toMatchObject([
      { metadata: { resourceVersion: '1' }, status: { attemptId: 'attempt-1', serialNumber: '07' } },
    ]);
    await statuses.write({ certificate: stored.object!, change: { attemptId: 'attempt-2' }, signal });
    expect(stored.writes.at(-1)).toMatchObject({ status: { attemptId: 'attempt-2', serialNumber: '07' } });
  });

  test('removes a field for null, and the named conditions', async () => {
    const resource = certificate({ status: issued });
    const { statuses } = setUp(resource);
    const change = { renewalTime: null };
    const answer = await statuses.write({ certificate: resource, change, removed: ['Ready'], signal });
    expect(answer.status).not.toHaveProperty('renewalTime');
    expect(answer.status?.conditions).toEqual([]);
  });

  test('throws the conflict if the resource changed, and writes nothing', async () => {
    const resource = certificate({ status: issued });
    const { stored, statuses, written } = setUp(resource);
    stored.change({ metadata: { finalizers: ['theirs'] } });
    const write = statuses.write({ certificate: resource, change: { revision: 2 }, signal });
    await expect(write).rejects.toMatchObject({ status: 409 });
    expect(stored.object?.status).toEqual(issued);
    expect(written.size).toBe(0);
  });

  test.each([
    ['CrdsOutdated if the CRDs lack a field', false, CrdsOutdated],
    ['StatusRefused if they do not', true, StatusRefused],
  ])('that the API server refuses throws %s', async (_, fitAfterCheck, error) => {
    const resource = certificate({ status: issued });
    const { stored, statuses } = setUp(resource, { fitAfterCheck });
    stored.beforeWrite = () => {
      throw refusal(422, [{ field: 'status.revision' }]);
    };
    const write = statuses.write({ certificate: resource, change: { revision: 2 }, signal });
    await expect(write).rejects.toThrow(error);
  });

  test.each([
    ['CrdsOutdated if the CRDs lack the field', false, CrdsOutdated],
    ['StatusRefused if they do not', true, StatusRefused],
  ])('whose attempt the API server drops throws %s', async (_, fitAfterCheck, error) => {
    const resource = certificate();
    const { stored, statuses, written } = setUp(resource, { fitAfterCheck });
    stored.storesField = (name) => name !== 'attemptId';
    const write = statuses.write({ certificate: resource, change: { attemptId: 'attempt-1' }, signal });
    await expect(write).rejects.toThrow(error);
    expect(written.size).toBe(0);
  });

  test('throws StatusRefused if the API server drops an echoed field that it does not change', async () => {
    const resource = certificate({ status: { ...issued, seal: 'v1:a:b' } });
    const { stored, statuses } = setUp(resource);
    stored.storesField = (name) => name !== 'seal';
    const write = statuses.write({ certificate: resource, change: { revision: 2 }, signal });
    await expect(write).rejects.toThrow(StatusRefused);
  });

  test('may remove an echoed field', async () => {
    const resource = certificate({ status: { ...issued, seal: 'v1:a:b' } });
    const { statuses } = setUp(resource);
    const change = { attemptId: null, seal: null };
    const answer = await statuses.write({ certificate: resource, change, signal });
    expect(answer.status).not.toHaveProperty('attemptId');
    expect(answer.status).not.toHaveProperty('seal');
  });

  test('is not tried under CRDs that would drop what the status has', async () => {
    const resource = certificate({ status: issued });
    const { stored, statuses } = setUp(resource, { fit: false, fitAfterCheck: false });
    const write = statuses.write({ certificate: resource, change: { revision: 2 }, signal });
    await expect(write).rejects.toThrow(CrdsOutdated);
    expect(stored.writes).toEqual([]);
  });
});

describe('a resource may be written', () => {
  const { attemptId: _, ...unattempted } = issued;
  test.each([
    ['without a check if it has only conditions', {}, false, false, true, 0],
    ['without a check if it names an attempt and the CRDs fit', issued, true, false, true, 0],
    ['after a check if the name of an attempt may be hidden', unattempted, true, true, true, 1],
    ['unless that check finds old CRDs', unattempted, true, false, false, 1],
    ['unless the CRDs are known to be old', issued, false, false, false, 0],
  ])('%s', async (__, status, fit, fitAfterCheck, want, checks) => {
    const { statuses, crds } = setUp(certificate({ status }), { fit, fitAfterCheck });
    expect(await statuses.isWritable({ status })).toBe(want);
    expect(crds.checks).toBe(checks);
  });
});

describe('news', () => {
  test('is written once, and not again while the conditions stay the same', async () => {
    const { stored, statuses } = setUp(certificate());
    await statuses.writeNotReady(certificate(), notReady, signal);
    const now = stored.object ?? certificate();
    expect(now.status?.conditions).toMatchObject([{ type: 'Ready', status: 'False', ...notReady }]);
    await statuses.writeNotReady(now, notReady, signal);
    expect(stored.writes).toHaveLength(1);
  });

  test('is written for a field that changes under the same words, once', async () => {
    const resource = certificate({ status: issued });
    const { stored, statuses } = setUp(resource);
    const change = { awaitedSecret: 'web-tls' };
    const answer = await statuses.writeNews({ certificate: resource, change, signal });
    expect(answer.status?.awaitedSecret).toBe('web-tls');
    expect(await statuses.writeNews({ certificate: answer, change, signal })).toBe(answer);
    expect(stored.writes).toHaveLength(1);
  });

  test('that may only be the first word is not written over another', async () => {
    const wanted = [{ type: 'Ready', status: 'False', ...notReady } as const];
    const resource = certificate();
    const { stored, statuses } = setUp(resource);
    const first = await statuses.writeFirst({ certificate: resource, conditions: wanted, signal });
    expect(first.status?.conditions).toMatchObject(wanted);
    const other = [{ type: 'Ready', status: 'False', reason: 'Other', message: '' } as const];
    expect(await statuses.writeFirst({ certificate: first, conditions: other, signal })).toBe(first);
    expect(stored.writes).toHaveLength(1);
  });

  test('that status shows already costs no look at the CRDs', async () => {
    const { attemptId: _, ...unattempted } = issued;
    const resource = certificate({ status: unattempted });
    const { crds, stored, statuses } = setUp(resource);
    expect(await statuses.writeNews({ certificate: resource, conditions: [], signal })).toBe(resource);
    expect([crds.checks, stored.writes]).toEqual([0, []]);
  });

  test('is dropped if old CRDs would drop other fields with it', async () => {
    const resource = certificate({ status: issued });
    const { stored, statuses } = setUp(resource, { fit: false, fitAfterCheck: false });
    expect(await statuses.writeNews({ certificate: resource, conditions: [], signal })).toBe(resource);
    expect(stored.writes).toEqual([]);
  });

  test('about old CRDs fits into every CRD if the status has only conditions', async () => {
    const { stored, statuses } = setUp(certificate(), { fit: false, fitAfterCheck: false });
    await statuses.writeNotReady(certificate(), notReady, signal);
    expect(stored.writes).toHaveLength(1);
  });
});

describe('resultReread: a result', () => {
  const resource = certificate({ status: {} });
  const result = { certificateId: 7, attemptId: 'attempt-1' };

  /** Insists on a result after `change` was written by someone else. */
  async function insist(change: object) {
    const { stored, statuses, written } = setUp(resource);
    stored.change(change);
    const outcome = await statuses
      .insist(
        resource,
        (current) => statuses.write({ certificate: current, change: result, signal }),
        (current) => current.status?.attemptId !== undefined,
        signal,
      )
      .then(
        () => 'written',
        (error: { status: number }) => error.status,
      );
    // Later decisions start from what was read live, if nothing was written.
    expect(written.newest('ns/web', resource)).toEqual(stored.object);
    return { outcome, certificateId: stored.object?.status?.certificateId };
  }

  test.each([
    ['after another field of status', { status: { revision: 5 } }],
    ['after a change of the spec', { spec: { secretName: 'other' }, metadata: { generation: 2 } }],
  ])('is written %s', async (_, change) => {
    expect(await insist(change)).toEqual({ outcome: 'written', certificateId: 7 });
  });

  test.each([
    ['another result, which the caller recognizes', { status: { attemptId: 'attempt-2' } }],
    ['another resource of the same name', { metadata: { uid: 'other' } }],
  ])('is dropped after %s', async (_, change) => {
    expect(await insist(change)).toEqual({ outcome: 409, certificateId: undefined });
  });

  test('is written after as many conflicts as there are', async () => {
    const { stored, statuses } = setUp(resource);
    let changes = 0;
    const write = (current: TinyCertCertificate) => {
      if (changes < 3) stored.change({ status: { revision: (changes += 1) } });
      return statuses.write({ certificate: current, change: result, signal });
    };
    const answer = await statuses.insist(resource, write, () => false, signal);
    expect(answer.status).toMatchObject({ ...result, revision: 3 });
  });

  test('is not repeated after a failure other than a conflict', async () => {
    const { statuses } = setUp(resource);
    let calls = 0;
    const write = () => {
      calls += 1;
      return Promise.reject(refusal(500));
    };
    await expect(statuses.insist(resource, write, () => false, signal)).rejects.toMatchObject({
      status: 500,
    });
    expect(calls).toBe(1);
  });
});
