import { beforeEach, expect, test } from 'vitest';
import { attempt, certificate, issued, ref } from '../../../test/support/inputs/inputs.ts';
import { TinyCertStage } from '../../../test/support/inputs/tinycert-step.ts';
import { certificates } from '../../api/kinds.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { conditionOf } from '../../issuance/status/conditions.ts';
import type { Attempt } from '../../issuance/tinycert/attempt.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { silentLog } from '../../lib/log.ts';
import { RELEASE_AFTER_MS, releaseUnrevoked } from './ca-access.ts';
import { hasFinalizer } from './finalizer.ts';

const why = { reason: 'IssuerNotFound', message: 'There is no TinyCertIssuer ca.' };
const revocation = {
  onDelete: 'Revoke',
  onReplace: 'None',
  delay: '1h',
  onExternalRevocation: 'Report',
} as const;

let stage: TinyCertStage;
beforeEach(() => {
  stage = new TinyCertStage();
});

/** Releases a resource as it is stored at the API server. */
function release(
  status: CertificateStatus | undefined,
  given: { attempt?: Attempt } = {},
): Promise<ReconcileResult> {
  const made = certificate({ spec: { revocation }, status });
  const metadata = { ...made.metadata, finalizers: ['tinycert-operator.io/revocation'] };
  const resource =
    stage.kube.now(certificates, metadata) ?? stage.kube.put(certificates, { ...made, metadata });
  const context = { signal: stage.abort.signal, log: silentLog, reconcileID: 'r', failures: 0 };
  return releaseUnrevoked(stage.deps, resource, { why, attempt: given.attempt }, context);
}

test('a resource whose issuer is gone waits for it, and says so', async () => {
  expect(await release(issued)).toEqual({ requeueAfterMs: RELEASE_AFTER_MS });
  const pending = conditionOf(stage.stored().status?.conditions, 'RevocationPending');
  expect(pending).toMatchObject({ status: 'True', reason: 'IssuerNotFound' });
  expect([hasFinalizer(stage.stored()), stage.events, stage.operatorEvents]).toEqual([
    true,
    ['IssuerNotFound'],
    [],
  ]);
});

test.each<[string, CertificateStatus | undefined, Attempt | undefined, string[]]>([
  ['what it had', { ...issued, formerCertificates: [ref(3)] }, undefined, ['3', '7 (serial number 07)']],
  [
    'what an attempt may have bought',
    undefined,
    { ...attempt, afterId: 11 },
    ['with an id above 11, if an attempt without a result bought one'],
  ],
  [
    'both',
    issued,
    { ...attempt, afterId: 11 },
    ['7 (serial number 07)', 'with an id above 11, if an attempt without a result bought one'],
  ],
])('it goes after ten minutes, and an event of the operator names %s', async (_, status, open, named) => {
  const given = open ? { attempt: open } : {};
  await release(status, given);
  await stage.clock.advance(RELEASE_AFTER_MS);
  expect(await release(status, given)).toEqual({});

  const [[reason, message] = []] = stage.operatorEvents;
  expect(reason).toBe('RevocationAbandoned');
  for (const each of named) expect(message).toContain(`ertificate ${each}`);
  expect(message).toContain('resource ns/web');
  expect(hasFinalizer(stage.stored())).toBe(false);
});
