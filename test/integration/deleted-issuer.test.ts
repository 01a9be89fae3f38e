import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { secrets } from '../../src/kube/objects.ts';
import type { TestOperator } from '../support/world/operator.ts';
import { complaints } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ keyPool: 8, keyPoolReuse: true });
});
afterAll(() => stage.close());

/** The watches of single Secrets. */
function credentialWatches({ traffic }: TestOperator): string[] {
  return traffic.watches().filter((watch) => watch.includes('fieldSelector'));
}

/** An issuer whose first check waits for the CA, and a certificate that waits for the issuer. */
async function beingChecked(): Promise<{ world: World; operator: TestOperator }> {
  const world = await aWorld(stage);
  stage.dev.addFault({ call: 'cert/list', kind: 'hold' });
  await world.account();
  const operator = await world.operator();
  await world.call(({ call }) => call === 'cert/list');
  await world.certificate('web');
  await world.settled();
  return { world, operator };
}

describe('an issuer that is deleted while it is being checked', () => {
  test('issues nothing and leaves no watch of its credentials and no session', async () => {
    const { world, operator } = await beingChecked();

    await world.delete(issuers, 'ca');
    await world.settled();
    stage.dev.release();
    await world.pass(60_000);

    expect(world.calls()).not.toHaveProperty('cert/new');
    expect(credentialWatches(operator)).toEqual([]);
    expect(await world.says(certificates, 'web')).toEqual([
      'Ready=False IssuerNotFound: There is no TinyCertIssuer ca: create it, or correct issuerRef.',
      'Issuing=False IssuerNotFound: There is no TinyCertIssuer ca: create it, or correct issuerRef.',
    ]);
    expect(complaints(operator)).toEqual([]);
    const mark = world.mark();
    await world.patch(secrets, 'account', { stringData: { note: 'changed' } });
    await world.pass(20 * 60_000);
    expect(world.calls(mark)).toEqual({});
  });

  test('and created again at once works as the new one', async () => {
    const { world, operator } = await beingChecked();
    const { uid: former } = (await world.get(issuers, 'ca')).metadata;

    await world.delete(issuers, 'ca');
    const { metadata } = await world.issuer({ ownershipMarker: 'OrganizationalUnit' });
    expect(metadata.uid).not.toBe(former);
    stage.dev.release();
    await world.settled();

    const { status } = await world.ready('web');
    const bought = stage.dev.certificates().find(({ id }) => id === status?.certificateId);
    expect(JSON.stringify(bought?.subject)).toContain('tinycert-operator:');
    expect(conditionOf((await world.get(issuers, 'ca')).status?.conditions, 'Ready')?.status).toBe('True');
    expect(credentialWatches(operator)).toHaveLength(1);
    expect(complaints(operator)).toEqual([]);
  });
});
