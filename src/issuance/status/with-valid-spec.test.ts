import { expect, test } from 'vitest';
import { certificate } from '../../../test/support/inputs/inputs.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import type { Reason } from '../../lib/reason.ts';
import { CRDS_AGAIN_MS, CrdsOutdated } from './outdated-crds.ts';
import { FAILURES_BEFORE_EVENT, StatusRefused } from './refused-status.ts';
import { withValidSpec } from './with-valid-spec.ts';

const resource = certificate();

/** Runs `work` on a parsed resource; returns the outcome, what Ready reports and the warnings. */
async function run(
  work: () => Promise<ReconcileResult>,
  parsed: Parameters<typeof withValidSpec<TinyCertCertificate>>[2] = { ok: true, object: resource },
  failures = 0,
) {
  const warnings: string[] = [];
  const notReady: Reason[] = [];
  const deps = {
    warn: (_: unknown, reason: string) => void warnings.push(reason),
    statuses: { writeNotReady: async (_: unknown, why: Reason) => void notReady.push(why) },
  };
  const { signal } = new AbortController();
  const outcome = await withValidSpec(deps, resource, parsed, { signal, failures }, work).catch(
    (error: unknown) => error,
  );
  return { outcome, warnings, notReady };
}

test('the work gets the parsed resource, with its defaults', async () => {
  const object = certificate({ generation: 9 });
  const seen: unknown[] = [];
  const { signal } = new AbortController();
  const work = (parsed: TinyCertCertificate) => {
    seen.push(parsed);
    return Promise.resolve({ requeueAfterMs: 5 });
  };
  expect(
    await withValidSpec({} as never, resource, { ok: true, object }, { signal, failures: 0 }, work),
  ).toEqual({
    requeueAfterMs: 5,
  });
  expect(seen).toEqual([object]);
});

test('a spec that cannot be parsed is reported and waits for a change', async () => {
  const work = () => Promise.reject(new Error('not to be called'));
  expect(await run(work, { ok: false, message: 'spec.secretName is missing' })).toEqual({
    outcome: {},
    warnings: [],
    notReady: [{ reason: 'InvalidSpec', message: 'The spec cannot be used: spec.secretName is missing' }],
  });
});

test('outdated CRDs are reported and checked again', async () => {
  const error = new CrdsOutdated();
  expect(await run(() => Promise.reject(error))).toEqual({
    outcome: { requeueAfterMs: CRDS_AGAIN_MS },
    warnings: [],
    notReady: [{ reason: 'CRDsOutdated', message: error.message }],
  });
});

test('a refused status is reported by an event, and the failure leads to retries', async () => {
  const error = new StatusRefused('no');
  expect(await run(() => Promise.reject(error))).toEqual({
    outcome: error,
    warnings: ['StatusRefused'],
    notReady: [],
  });
});

test.each([
  ['not at first', FAILURES_BEFORE_EVENT - 1, []],
  ['once it has lasted', FAILURES_BEFORE_EVENT, ['StatusRefused']],
])('a refusal that may pass is reported %s', async (_, failures, warnings) => {
  const error = new StatusRefused('no', { mayPass: true });
  const outcome = await run(() => Promise.reject(error), undefined, failures);
  expect(outcome).toEqual({ outcome: error, warnings, notReady: [] });
});

test('every other failure passes through, without a report', async () => {
  const error = new Error('socket');
  expect(await run(() => Promise.reject(error))).toEqual({ outcome: error, warnings: [], notReady: [] });
});
