import { beforeEach, describe, expect, test } from 'vitest';
import { certificate, DAY, issued, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { TinyCertStage } from '../../../test/support/inputs/tinycert-step.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { LastWritten } from '../../issuance/status/last-written.ts';
import { CrdsOutdated } from '../../issuance/status/outdated-crds.ts';
import { StatusWriter } from '../../issuance/status/writer.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { TermOver } from '../../journal/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError, isConflict } from '../../kube/errors.ts';
import type { Deps } from '../context/deps.ts';
import type { Sealer } from '../../issuance/tinycert/seal.ts';
import { record, type Recording, recordResult } from './record.ts';

const status: CertificateStatus = { attemptId: 'attempt-0', revision: 1, ...ref(3) };
const change = { ...ref(7), attemptId: 'attempt-1', revision: 2 };

function depsOf(kube: object, clock = new VirtualClock(), fit = true): Deps {
  const crds = { fit, check: () => Promise.resolve() };
  const written = new LastWritten<TinyCertCertificate>({ clock });
  const statuses = new StatusWriter({ kube: kube as KubeClient, clock, kind: tinycertKind, crds, written });
  return { kube, clock, statuses, writtenCertificates: written } as unknown as Deps;
}

/** A resource that somebody changed to `live` while a result was on its way; resolves with what is stored in the end. */
async function afterConflict(
  live: CertificateStatus,
  { uid = 'uid', seen: before = status } = {},
): Promise<CertificateStatus | undefined> {
  const clock = new VirtualClock();
  const seen = certificate({ status: before });
  let stored: TinyCertCertificate = {
    ...seen,
    metadata: { ...seen.metadata, uid, resourceVersion: '2' },
    status: live,
  };
  const kube = {
    get: () => Promise.resolve(stored),
    mergePatch: (_: unknown, __: unknown, patch: TinyCertCertificate) => {
      if (patch.metadata.resourceVersion !== stored.metadata.resourceVersion)
        return Promise.reject(
          new ApiError({ status: 409, reason: 'Conflict', message: '', verb: 'PATCH', resource: '' }),
        );
      stored = { ...stored, status: { ...stored.status, ...patch.status } };
      return Promise.resolve(stored);
    },
  };
  const deps = depsOf(kube, clock);
  const { signal } = new AbortController();
  await recordResult(deps, { certificate: seen, change, signal }).catch((error: unknown) => {
    if (!isConflict(error)) throw error;
  });
  return stored.status;
}

describe('resultReread: a result that meets a change in between', () => {
  test.each<[string, CertificateStatus]>([
    ['that has nothing to do with it', status],
    ['of the conditions', { ...status, conditions: [] }],
    ['of what failed before', { ...status, failedAttempts: 3 }],
  ])('%s is written all the same', async (_, live) => {
    expect(await afterConflict(live)).toMatchObject(change);
  });

  test.each<[string, CertificateStatus, string?]>([
    ['to a later certificate', { ...status, certificateId: 8 }],
    ['to a lower certificate', { ...status, certificateId: 2 }],
    ['to a certificate of another authority', { ...status, authorityId: 2 }],
    ['to a certificate of another account', { ...status, account: otherAccount }],
    ['to the result of another attempt', { ...status, attemptId: 'attempt-2' }],
    ['of the revision', { ...status, revision: 2 }],
    ['of the seal', { ...status, seal: 'v1:x' }],
    ['of what it had before', { ...status, formerCertificates: [ref(2)] }],
    ['of what is to be revoked', { ...status, pendingRevocations: [] }],
    ['of the accounts that it has left', { ...status, formerAccounts: [{ account: otherAccount }] }],
    ['to another resource of the same name', status, 'another-uid'],
  ])('%s is dropped', async (_, live, uid) => {
    expect(await afterConflict(live, uid ? { uid } : {})).toEqual(live);
  });

  test('resultNeverFalls: is dropped if the status had a later certificate all along', async () => {
    const later = { ...status, certificateId: 8 };
    expect(await afterConflict(later, { seen: later })).toEqual(later);
  });

  test.each([
    ['authority', { authorityId: 2 }],
    ['account', { account: otherAccount }],
  ])('is written over a higher id at another %s', async (_, elsewhere) => {
    const other = { ...status, certificateId: 8, ...elsewhere };
    expect(await afterConflict(other, { seen: other })).toMatchObject(change);
  });
});

describe('what a change of status gives up', () => {
  let stage: TinyCertStage;
  beforeEach(() => {
    stage = new TinyCertStage();
  });

  /** Records a change for a sealed status, or one with a broken seal; resolves with the former certificates in it. */
  async function formerAfter(
    change: Partial<Recording>,
    before: CertificateStatus = issued,
    sealed = true,
  ): Promise<number[]> {
    const { inputs, signal } = stage.work({ status: before, sealed });
    const { account: sealer } = stage;
    await record(stage.deps, { certificate: inputs.certificate, sealer, signal, ...change });
    return (stage.stored().status?.formerCertificates ?? []).map(({ certificateId }) => certificateId);
  }

  test.each<[string, Partial<Recording>, number[]]>([
    ['the certificate that a new one replaces', { change: ref(9), operation: 'New' }, [7]],
    [
      'nothing after a reissue, which makes the one before obsolete',
      { change: ref(9), operation: 'Reissue' },
      [],
    ],
    ['nothing if it is the same one again', { change: ref(7), operation: 'New' }, []],
    ['nothing if no certificate changes', { change: { failedAttempts: 1 } }, []],
    ['what was bought and is not wanted any more', { givesUp: ref(9) }, [9]],
    ['both', { change: ref(10), operation: 'New', givesUp: ref(9) }, [7, 9]],
  ])('stays claimed: %s', async (_, change, former) => {
    expect(await formerAfter(change)).toEqual(former);
  });

  test('stays claimed after a reissue of one that had expired, which the CA still lists', async () => {
    await stage.clock.advance(90 * DAY);
    expect(await formerAfter({ change: ref(9), operation: 'Reissue' })).toEqual([7]);
  });

  test('is nothing that a status names which somebody else may have written', async () => {
    const forged = { ...issued, formerCertificates: [ref(5)] };
    expect(await formerAfter({ change: ref(9), operation: 'New', givesUp: ref(8) }, forged, false)).toEqual([
      8,
    ]);
  });

  const full = { ...issued, formerCertificates: Array.from({ length: 20 }, (_, i) => ref(100 + i)) };

  test('goes on record where it has no room, before the status is written', async () => {
    const written: string[][] = [];
    stage.kube.onWrite = () => written.push(stage.records);
    const former = await formerAfter({ change: ref(200), operation: 'New', givesUp: ref(150) }, full);
    expect(written).toEqual([['released 100 undefined', 'released 101 undefined']]);
    expect(former).toEqual([...full.formerCertificates.slice(2).map((each) => each.certificateId), 7, 150]);
  });

  test.each([
    ['is not ready', () => (stage.deps.journal.viewFor = () => undefined)],
    ['is not answered', () => (stage.journal.fate = () => 'request lost')],
  ])('is not lost if the journal %s: nothing is written', async (_, happen) => {
    happen();
    await expect(formerAfter({ givesUp: ref(150) }, full)).rejects.toThrow(TermOver);
    expect(stage.kube.writes).toEqual([]);
  });
});

describe('a status whose seal is broken', () => {
  const asHex = (text: string): string => Buffer.from(text).toString('hex');
  const sealer: Sealer = { sealCodes: (text) => ({ installation: asHex(text), apiKey: asHex(text) }) };

  test('is sealed again without what somebody else may have written', async () => {
    const clock = new VirtualClock();
    const patches: TinyCertCertificate[] = [];
    const kube = {
      mergePatch: (_: unknown, __: unknown, patch: TinyCertCertificate) => {
        patches.push(patch);
        return Promise.resolve(patch);
      },
    };
    const deps = depsOf(kube, clock);
    const forged = certificate({
      status: { ...ref(666), attemptId: 'forged', formerCertificates: [ref(5)], seal: 'x' },
    });
    const { signal } = new AbortController();

    await record(deps, { certificate: forged, change: { failedAttempts: 1 }, sealer, signal });
    await record(deps, { certificate: forged, change: ref(7), sealer, signal });

    expect(patches.map(({ status: written }) => written)).toMatchObject([
      {
        account: null,
        certificateId: null,
        authorityId: null,
        attemptId: null,
        formerCertificates: null,
        failedAttempts: 1,
      },
      { ...ref(7), attemptId: null, formerCertificates: null },
    ]);
    expect(patches[0]?.status?.seal).not.toContain(asHex('666'));
    expect(patches[1]?.status?.seal).toContain(asHex('"certificateId":7'));
  });
});

describe('under CRDs that would take something away', () => {
  const deps = depsOf({}, new VirtualClock(), false);
  const { signal } = new AbortController();

  test('no result is written, and it is tried again', async () => {
    const recording = { certificate: certificate({ status }), change, signal };
    await expect(record(deps, recording)).rejects.toThrow(CrdsOutdated);
  });

  test('no condition is written', async () => {
    const bought = certificate({ status });
    const conditions = [{ type: 'Ready', status: 'False', reason: 'CRDsOutdated', message: '' }] as const;
    expect(await deps.statuses.writeNews({ certificate: bought, conditions, signal })).toBe(bought);
  });
});
