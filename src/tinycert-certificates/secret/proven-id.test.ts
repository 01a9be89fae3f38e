import { describe, expect, test } from 'vitest';
import { certificate, ref } from '../../../test/support/inputs/inputs.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { CrdsOutdated } from '../../issuance/status/outdated-crds.ts';
import type { Deps } from '../context/deps.ts';
import { assertRead, syncSecret } from './proven-id.ts';

const whole: CertificateStatus = { attemptId: 'attempt-1', seal: 'v1:x' };
const { attemptId: _, ...hidden } = whole;
const never = new AbortController().signal;

describe('a status without its seal', () => {
  const { signal } = new AbortController();
  const kube = (status: CertificateStatus, resourceVersion: string, reads: string[]) => {
    const live = certificate({ status });
    const get = () => {
      reads.push('get');
      return Promise.resolve({ ...live, metadata: { ...live.metadata, resourceVersion } });
    };
    return { get } as unknown as Deps['kube'];
  };
  let doubts = 0;
  const crds = { fit: true, check: () => Promise.resolve(), doubt: () => (doubts += 1) };
  const versionOf = certificate({}).metadata.resourceVersion ?? '';

  test('of which older CRDs hide something is not acted on', async () => {
    const seen = certificate({ status: hidden });
    const deps = { kube: kube(whole, versionOf, []), crds };
    await expect(assertRead({ deps, inputs: { certificate: seen, sealed: false }, signal })).rejects.toThrow(
      CrdsOutdated,
    );
    expect(doubts).toBe(1);
  });

  test.each<[string, CertificateStatus, CertificateStatus, string]>([
    ['that the API server has just so', hidden, hidden, versionOf],
    ['that has changed since, which the write will find', hidden, whole, 'later'],
  ])('%s is', async (_name, seen, live, version) => {
    const reads: string[] = [];
    const deps = { kube: kube(live, version, reads), crds };
    await assertRead({ deps, inputs: { certificate: certificate({ status: seen }), sealed: false }, signal });
    expect(reads).toEqual(['get']);
  });

  test.each<[string, CertificateStatus | undefined, boolean | undefined]>([
    ['with its seal', whole, true],
    ['without an account to tell', whole, undefined],
    ['that is new', undefined, false],
  ])('costs no read %s', async (_name, seen, sealed) => {
    const reads: string[] = [];
    const deps = { kube: kube(whole, versionOf, reads), crds };
    await assertRead({ deps, inputs: { certificate: certificate({ status: seen }), sealed }, signal });
    expect(reads).toEqual([]);
  });
});

describe('a Secret with a proven certificate', () => {
  const now = 1_000_000;

  test.each<[string, { hasOutputs: boolean; notAfter: number }, boolean]>([
    ['has its files written', { hasOutputs: false, notAfter: now + 1 }, true],
    ['keeps its files if they are right', { hasOutputs: true, notAfter: now + 1 }, false],
    [
      'does not have the files of an expired certificate written',
      { hasOutputs: false, notAfter: now },
      false,
    ],
  ])('%s', async (_name, { hasOutputs, notAfter }, isWritten) => {
    const sources: unknown[] = [];
    const certificateSecrets = {
      sync: (...args: unknown[]) => {
        sources.push(args[3]);
        return Promise.resolve({ name: 'web-tls' });
      },
    };
    const content = { leaf: { notAfter } };
    const seen = { state: 'changed', metadata: { name: 'web-tls' }, content, hasOutputs, hasMetadata: true };
    const inputs = { certificate: certificate({}), names: { dns: [], ip: [], uri: [], email: [] } };
    const task = { deps: { certificateSecrets, clock: { now: () => now } }, inputs, signal: never };

    await syncSecret(task as never, seen as never, ref(7));
    expect(sources).toEqual([isWritten ? content : undefined]);
  });
});
