import { afterAll, describe, expect, test } from 'vitest';
import { issued, ref } from '../../../test/support/inputs/inputs.ts';
import { TinyCertStage, TinyCertVectors } from '../../../test/support/inputs/tinycert-step.ts';
import { publish } from './publish.ts';

const vectors = new TinyCertVectors();
afterAll(() => vectors.remove());
const vector = vectors.sign('11');

/** An hour before the certificate is published. */
const EARLIER_MS = 3_600_000;

function begin(): { stage: TinyCertStage; earlier: string } {
  const stage = new TinyCertStage({ vectors });
  stage.atCa.set(8, { vector });
  return { stage, earlier: new Date(stage.clock.now() - EARLIER_MS).toISOString() };
}

describe('status says when the attempt was made that the certificate came of', () => {
  test.each(['success', 'adopted'] as const)('by the operator’s clock (%s)', async (outcome) => {
    const { stage, earlier } = begin();
    const attempt = await stage.opened({ startTime: earlier });
    const work = stage.work({ status: {}, secret: { state: 'absent' }, attempt });
    await publish(work, { certificate: ref(8), outcome });
    expect(stage.stored().status).toMatchObject({ ...ref(8), attemptId: attempt.id, attemptTime: earlier });
  });

  test('also after the same certificate was published again', async () => {
    const { stage, earlier } = begin();
    const status = { ...issued, ...ref(8), attemptTime: earlier };
    await publish(stage.work({ status, secret: { state: 'absent' } }), {
      certificate: ref(8),
      outcome: 'republished',
    });
    expect(stage.stored().status).toMatchObject({ ...ref(8), attemptTime: earlier });
  });

  test('and nothing once it has a certificate of which no attempt is known', async () => {
    const { stage, earlier } = begin();
    const status = { ...issued, attemptTime: earlier };
    await publish(stage.work({ status, secret: { state: 'absent' } }), {
      certificate: ref(8),
      outcome: 'republished',
    });
    const { status: after } = stage.stored();
    expect(after).toMatchObject(ref(8));
    expect(after).not.toHaveProperty('attemptTime');
  });
});
