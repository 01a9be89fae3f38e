import { describe, expect, test } from 'vitest';
import { attempt, certificate, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { LastWritten } from '../../issuance/status/last-written.ts';
import { CrdsOutdated } from '../../issuance/status/outdated-crds.ts';
import { StatusWriter } from '../../issuance/status/writer.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError, isConflict } from '../../kube/errors.ts';
import type { Deps } from '../context/deps.ts';
import type { Sealer } from '../../issuance/tinycert/seal.ts';
import { record, recordResult } from './record.ts';

const status: CertificateStatus = { attempt, ...ref(3) };
const change = { ...ref(7), attempt: { ...attempt, certificateId: 7 } };

function depsOf(kube: object, clock = new VirtualClock(), fit = true): Deps {
  const crds = { fit, check: () => Promise.resolve() };
  const written = new LastWritten<TinyCertCertificate>({ clock });
  const statuses = new StatusWriter({ kube: kube as KubeClient, clock, kind: tinycertKind, crds, written });
  return { kube, clock, statuses, writtenCertificates: written } as unknown as Deps;
}

/** A resource that somebody changed to `live` while a result was on its way; resolves with what is stored in the end. */
async function afterConflict(live: CertificateStatus, uid = 'uid'): Promise<CertificateStatus | undefined> {
  const clock = new VirtualClock();
  const seen = certificate({ status });
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
      // The stub keeps what JSON merge patch would: null removes a field of the attempt.
      const { attempt: written } = patch.status ?? {};
      const whole = Object.entries(written ?? {}).filter(([, value]) => value !== null);
      stored = {
        ...stored,
        status: { ...patch.status, attempt: Object.fromEntries(whole) as typeof attempt },
      };
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

describe('a result that meets a change in between', () => {
  test.each<[string, CertificateStatus]>([
    ['that has nothing to do with it', status],
    ['to a lower certificate', { ...status, certificateId: 5 }],
    ['by a lower id of the same attempt', { ...status, attempt: { ...attempt, certificateId: 6 } }],
    ['to a certificate of another authority', { ...status, certificateId: 9, authorityId: 2 }],
    ['to a certificate of another account', { ...status, certificateId: 9, account: otherAccount }],
  ])('%s is written all the same', async (_, live) => {
    expect(await afterConflict(live)).toMatchObject({ certificateId: 7, attempt: { certificateId: 7 } });
  });

  test.each<[string, CertificateStatus, string?]>([
    ['to another attempt', { ...status, attempt: { ...attempt, id: 'attempt-2' } }],
    ['to a later certificate', { ...status, certificateId: 8 }],
    ['by a later certificate of the same attempt', { ...status, attempt: { ...attempt, certificateId: 8 } }],
    ['to another resource of the same name', status, 'another-uid'],
  ])('%s is dropped', async (_, live, uid) => {
    expect(await afterConflict(live, uid)).toEqual(live);
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
      status: { ...ref(666), formerCertificates: [ref(5)], seal: 'x' },
    });
    const { signal } = new AbortController();

    await record(deps, { certificate: forged, change: { failedAttempts: 1 }, sealer, signal });
    await record(deps, { certificate: forged, change: ref(7), sealer, signal });

    expect(patches.map(({ status: written }) => written)).toMatchObject([
      { account: null, certificateId: null, authorityId: null, formerCertificates: null, failedAttempts: 1 },
      { ...ref(7), formerCertificates: null },
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
