import { describe, expect, test } from 'vitest';
import { certificate, ref } from '../../../test/support/inputs/inputs.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { CertificateSpec } from '../../api/tinycert/certificate-spec.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { LastWritten } from '../../issuance/status/last-written.ts';
import type { Deps } from '../context/deps.ts';
import { hasFinalizer, keepFinalizer, needsFinalizer } from './finalizer.ts';

const FINALIZER = 'tinycert-operator.io/revocation';

function revocation(
  change: Partial<NonNullable<CertificateSpec['revocation']>>,
): Pick<CertificateSpec, 'revocation'> {
  return {
    revocation: {
      onDelete: 'None',
      onReplace: 'None',
      delay: '1h',
      onExternalRevocation: 'Report',
      ...change,
    },
  };
}

const pending = { ...ref(3), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' } as const;

test.each<[string, Parameters<typeof certificate>[0], boolean]>([
  ['nothing is to be revoked', {}, false],
  ['nothing is to be revoked, explicitly', { spec: revocation({}) }, false],
  ['it is to be revoked on deletion', { spec: revocation({ onDelete: 'Revoke' }) }, true],
  ['it is to be held on deletion', { spec: revocation({ onDelete: 'Hold' }) }, true],
  ['replaced certificates are to be revoked', { spec: revocation({ onReplace: 'Revoke' }) }, true],
  ['a replaced certificate is still to be revoked', { status: { pendingRevocations: [pending] } }, true],
])('if %s, the need for the finalizer is judged', (_, given, want) => {
  expect(needsFinalizer(certificate(given))).toBe(want);
});

describe('the finalizer', () => {
  const { signal } = new AbortController();

  /** What `keepFinalizer` writes for a resource, and returns. */
  async function kept(given: TinyCertCertificate, isWritable = true) {
    const patches: object[] = [];
    const kube = {
      mergePatch: (_: unknown, __: unknown, patch: { metadata: object }) => {
        patches.push(patch);
        return Promise.resolve({ ...given, metadata: { ...given.metadata, ...patch.metadata } });
      },
    };
    const deps = {
      kube,
      statuses: { isWritable: () => Promise.resolve(isWritable) },
      writtenCertificates: new LastWritten<TinyCertCertificate>({ clock: new VirtualClock() }),
    } as unknown as Deps;
    return { result: await keepFinalizer(deps, given, signal), patches };
  }

  const needing = certificate({ spec: revocation({ onDelete: 'Revoke' }) });

  test('is added beside those of others, over the version that was read', async () => {
    const { metadata } = needing;
    const { result, patches } = await kept({ ...needing, metadata: { ...metadata, finalizers: ['a/b'] } });
    expect(patches).toEqual([{ metadata: { resourceVersion: '1', finalizers: ['a/b', FINALIZER] } }]);
    expect(hasFinalizer(result)).toBe(true);
  });

  test('is removed once nothing needs it, and those of others stay', async () => {
    const plain = certificate();
    const finalizers = [FINALIZER, 'a/b'];
    const { result, patches } = await kept({ ...plain, metadata: { ...plain.metadata, finalizers } });
    expect(patches).toEqual([{ metadata: { resourceVersion: '1', finalizers: ['a/b'] } }]);
    expect(hasFinalizer(result)).toBe(false);
  });

  test('costs no write where it is as it should be', async () => {
    expect((await kept(certificate())).patches).toEqual([]);
  });

  test('is not written under CRDs that would take something away', async () => {
    const status: CertificateStatus = { attemptId: 'attempt-1', ...ref(3) };
    const bought = certificate({ status, spec: revocation({ onDelete: 'Revoke' }) });
    expect(await kept(bought, false)).toEqual({ result: bought, patches: [] });
  });
});
