import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cacertCertificates, certificates, issuers } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { watchDeletion } from '../support/kube/watching.ts';
import { aCAcertWorld } from '../support/world/cacert-world.ts';
import { events } from '../support/world/crds.ts';
import { complaints, issuedAsIs, statusAtCa } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import type { World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ keyPool: 8, keyPoolReuse: true });
});
afterAll(() => stage.close());

/** A window that every version of the CRD accepts and nobody can use. */
const UNUSABLE = { windows: [{ cron: '0 3 * * *', timezone: 'Mars/Olympus', windowDuration: '2h' }] };

async function notes(world: World, wanted: string): Promise<string[]> {
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  return items.filter(({ reason }) => reason === wanted).map(({ note }) => note);
}

/** A certificate `web` that is Ready and whose spec then becomes unusable. */
async function unusable(revocation: object) {
  const given = await issuedAsIs(stage, { revocation });
  await given.world.patch(certificates, 'web', { spec: { renewal: UNUSABLE } });
  await given.world.settled();
  return given;
}

/** Deletes `web` and waits until it is gone. */
async function deleted(world: World): Promise<void> {
  await watchDeletion(stage.kube, certificates, world.ref('web'), () =>
    stage.kube.delete(certificates, world.ref('web')),
  );
}

describe('a deleted certificate whose spec cannot be used', () => {
  test('is revoked as its spec asks, and is gone', async () => {
    const { world, operator, id } = await unusable({ onDelete: 'Revoke' });

    await deleted(world);
    await world.settled();

    expect(statusAtCa(stage, id)).toBe('revoked');
    const [note, ...more] = await notes(world, 'InvalidSpec');
    expect(note).toContain('spec.renewal.windows[0].timezone: "Mars/Olympus" is not a known time zone');
    expect(note).toContain('deleted all the same');
    expect(more).toEqual([]);
    expect(complaints(operator)).toEqual([]);
  });

  test('is gone at once when onDelete is set to None', async () => {
    const { world, id } = await unusable({ onDelete: 'Revoke' });
    await stage.dev.setOptions({ listening: false });
    await stage.kube.delete(certificates, world.ref('web'));
    await world.pass(60_000);

    await watchDeletion(stage.kube, certificates, world.ref('web'), async () => {
      await world.patch(certificates, 'web', { spec: { revocation: { onDelete: 'None' } } });
    });
    await stage.dev.setOptions({ listening: true });
    expect(statusAtCa(stage, id)).toBe('good');
  });

  test('has its replaced certificate revoked that status owes', async () => {
    const { world, id } = await issuedAsIs(stage, { revocation: { onReplace: 'Revoke', delay: '24h' } });
    await world.patch(certificates, 'web', { spec: { dnsNames: ['web.example.com', 'b.example.com'] } });
    await world.ready('web');
    await world.patch(certificates, 'web', { spec: { renewal: UNUSABLE } });
    await world.settled();

    await deleted(world);

    expect(statusAtCa(stage, id)).toBe('revoked');
  });

  test('is finalized by an operator that starts later', async () => {
    const { world, operator, id } = await unusable({ onDelete: 'Hold' });
    await operator.stop();
    await stage.kube.delete(certificates, world.ref('web'));

    await watchDeletion(stage.kube, certificates, world.ref('web'), async () => {
      await world.operator();
    });

    expect(statusAtCa(stage, id)).toBe('hold');
  });

  test('keeps no issuer from its own deletion', async () => {
    const { world, id } = await unusable({ onDelete: 'Revoke' });
    await stage.kube.delete(issuers, world.ref('ca'));
    await world.settled();

    await watchDeletion(stage.kube, issuers, world.ref('ca'), () => deleted(world));

    expect(statusAtCa(stage, id)).toBe('revoked');
  });

  test('of CAcert is gone, with the advice to revoke it by hand', async () => {
    const cacert = await aCAcertWorld(stage);
    const { world } = cacert;
    await cacert.operator();
    await cacert.account();
    await cacert.certificate('mail');
    await cacert.ready('mail');
    await world.patch(cacertCertificates, 'mail', { spec: { renewal: UNUSABLE } });
    await world.settled();

    await world.delete(cacertCertificates, 'mail');
    await world.settled();

    expect(await stage.kube.find(cacertCertificates, world.ref('mail'))).toBeUndefined();
    expect(await stage.kube.find(secrets, world.ref('mail-tls'))).toBeDefined();
    expect(await notes(world, 'DeletedNotRevoked')).toHaveLength(1);
  });
});
