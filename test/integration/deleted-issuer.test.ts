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

describe('the certificates of an issuer that is deleted', () => {
  const names = ['a', 'b', 'c'];

  async function issued(spec: object = {}) {
    const world = await aWorld(stage);
    await world.account();
    const operator = await world.operator();
    for (const name of names) await world.certificate(name, spec);
    for (const name of names) await world.ready(name);
    await world.settled();
    return { world, operator };
  }

  test('report that they are not renewed, in one write each, until there is one again', async () => {
    const { world, operator } = await issued();
    const since = world.tally(operator);

    await world.delete(issuers, 'ca');
    await world.settled();
    await world.pass(3 * 3_600_000);

    for (const name of names) {
      expect(await world.says(certificates, name)).toEqual([
        'Ready=True Ready: The Secret holds a valid certificate for this spec.',
        'Issuing=False IssuerNotFound: There is no TinyCertIssuer ca, so this certificate will not be renewed: create it, or correct issuerRef.',
      ]);
    }
    expect(since().writes).toEqual({ 'PATCH tinycertcertificates/status': 3 });

    await world.issuer();
    await world.settled();
    for (const name of names)
      expect(await world.says(certificates, name)).toEqual([expect.stringMatching(/^Ready=True/)]);
    expect(since().writes['PATCH tinycertcertificates/status']).toBe(6);
    expect(complaints(operator)).toEqual([]);
  });

  test('report it in one write each while the issuer waits for their revocations', async () => {
    const { world, operator } = await issued({ revocation: { onDelete: 'Revoke' } });
    const since = world.tally(operator);

    await stage.kube.delete(issuers, world.ref('ca'));
    await world.settled();
    await world.pass(3 * 3_600_000);

    for (const name of names) {
      expect(await world.says(certificates, name)).toEqual([
        expect.stringMatching(/^Ready=True/),
        expect.stringMatching(/^Issuing=False IssuerDeleted: TinyCertIssuer ca is being deleted/),
      ]);
    }
    expect(since().writes['PATCH tinycertcertificates/status']).toBe(3);
    for (const name of names) await world.delete(certificates, name);
    await world.settled();
    expect(await stage.kube.find(issuers, world.ref('ca'))).toBeUndefined();
  });
});
