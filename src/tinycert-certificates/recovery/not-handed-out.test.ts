import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { account, ref } from '../../../test/support/inputs/inputs.ts';
import { type Recovered, recoveredAt } from '../../../test/support/inputs/recovered.ts';
import { TinyCertStage, TinyCertVectors } from '../../../test/support/inputs/tinycert-step.ts';
import { attemptOwner } from '../../issuance/tinycert/attempt.ts';
import { TinyCertError } from '../../tinycert/index.ts';

const vectors = new TinyCertVectors();
afterAll(() => vectors.remove());
const one = vectors.sign('11');
const two = vectors.sign('12');
const OWNER = attemptOwner('uid', account);

let stage: TinyCertStage;

describe('an attempt for which the CA lists what it says it does not have', () => {
  beforeEach(async () => {
    stage = new TinyCertStage({ vectors });
    await stage.opened();
    stage.atCa.set(9, { vector: one });
  });

  test.each(['cert/details 9', 'cert/get 9'])('is not concluded by one such answer to %s', async (call) => {
    stage.notFound.push(call);
    const first = await recoveredAt(stage).catch((error: unknown) => error);
    // Two answers that differ lead nowhere, and the recovery is tried again.
    expect(first).toSatisfy(
      (result) => result instanceof TinyCertError || 'adopt' in (result as Recovered).verdict,
    );
    expect(await recoveredAt(stage)).toMatchObject({ verdict: { adopt: ref(9) }, records: [] });
  });

  test('may have bought that, and the next attempt is not held up by it', async () => {
    stage.notFound.push('cert/get 9', 'cert/get 9', 'cert/get 9', 'cert/get 9');
    expect(await recoveredAt(stage)).toEqual({
      verdict: { again: 'New' },
      records: ['released 9 Undecided', 'abandoned uid'],
      // Its id is known now, so that what the next one buys is above.
      boughtNothing: true,
    });
    await stage.flush();
    const { attempt: made, id: replaces } = stage.present();
    await stage.view.open({ owner: OWNER, group: 'me', replaces, make: () => ({ ...made, afterId: 9 }) });
    stage.atCa.set(10, { vector: two });
    expect((await recoveredAt(stage)).verdict).toEqual({ adopt: ref(10) });
  });

  test('may have bought that or another one', async () => {
    stage.atCa.set(10, { vector: two });
    stage.notFound.push('cert/get 9', 'cert/get 9', 'cert/get 9', 'cert/get 9');
    expect(await recoveredAt(stage)).toMatchObject({
      verdict: { again: 'New' },
      records: ['released 10 Undecided', 'released 9 Undecided', 'abandoned uid'],
      boughtNothing: false,
    });
  });
});
