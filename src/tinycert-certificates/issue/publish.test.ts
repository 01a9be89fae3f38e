import { afterAll, describe, expect, test } from 'vitest';
import { issued, ref } from '../../../test/support/inputs/inputs.ts';
import { TinyCertStage, TinyCertVectors } from '../../../test/support/inputs/tinycert-step.ts';
import { publish, takeHeld } from './publish.ts';

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

describe('what the Secret holds of an attempt whose spec has changed since', () => {
  const other = vectors.sign('12');

  test('becomes the resource’s certificate, for the spec of the attempt, and what it replaced is revoked as asked', async () => {
    const { stage } = begin();
    const attempt = await stage.opened({ specHash: 'v1:earlier', revision: 2 });
    const revocation = {
      onDelete: 'None',
      onReplace: 'Revoke',
      delay: '1h',
      onExternalRevocation: 'Report',
    } as const;
    const status = { ...issued, notAfter: '2200-01-01T00:00:00Z' };
    const work = stage.work({ spec: { revocation }, status, secret: vectors.inSecret(vector, 8), attempt });

    await takeHeld(work, ref(8));

    const { status: after } = stage.stored();
    expect(after).toMatchObject({
      ...ref(8),
      specHash: 'v1:earlier',
      revision: 2,
      attemptId: attempt.id,
      secretResourceVersion: '11',
      pendingRevocations: [{ ...ref(7), action: 'Revoke' }],
    });
    expect(after).not.toHaveProperty('secretGeneration');
  });

  test('is not taken on the word of an annotation: the CA has another certificate under that id', async () => {
    const { stage } = begin();
    const attempt = await stage.opened({ specHash: 'v1:earlier', revision: 2 });
    const work = stage.work({ status: issued, secret: vectors.inSecret(other, 8), attempt });
    expect(await takeHeld(work, ref(8))).toBeUndefined();
    expect(stage.stored().status).toMatchObject(ref(7));
  });
});

describe('secretNeverFalls: a Secret with a later certificate for the same names', () => {
  const later = vectors.sign('12');

  /** Publishes certificate 8 while the Secret holds 9. */
  async function afterPublishing(outcome: 'success' | 'republished'): Promise<TinyCertStage> {
    const { stage } = begin();
    stage.atCa.set(9, { vector: later });
    if (outcome === 'success') await stage.opened();
    const status = outcome === 'success' ? {} : { ...issued, ...ref(8) };
    await publish(stage.work({ status, secret: vectors.inSecret(later, 9) }), {
      certificate: ref(8),
      outcome,
    });
    return stage;
  }

  test('keeps it, and what was bought is given up', async () => {
    const { status } = (await afterPublishing('success')).stored();
    expect(status).toMatchObject({ ...ref(9), formerCertificates: [ref(8)] });
  });

  test('secretIntoStatus: is taken into a status that names an earlier one', async () => {
    const { status } = (await afterPublishing('republished')).stored();
    expect(status).toMatchObject(ref(9));
  });
});
