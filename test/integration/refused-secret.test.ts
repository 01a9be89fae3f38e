import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CAcertCertificate, cacertCertificates, certificates } from '../../src/api/kinds.ts';
import { type Secret, secrets } from '../../src/kube/objects.ts';
import { aCAcertWorld } from '../support/world/cacert-world.ts';
import { events } from '../support/world/crds.ts';
import { complaints, issued } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import type { World } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  // The backoffs without their random share, so that the number of tries is exact.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

const HOUR = 3_600_000;
/** The limits of the API server, in bytes. */
const MOST_DATA = 1_048_576;
const MOST_ANNOTATIONS = 262_144;

const TOO_LONG =
  /SecretNotWritten: The Secret \S+ could not be written: .* is invalid: data: Too long: .*\. Remove from the Secret what makes it invalid or too large\. The operator tries again by itself\.$/;
const METADATA_TOO_LONG =
  /SecretNotWritten: The Secret web-tls could not be written: .* metadata\.annotations: Too long: .*\. Remove from the Secret/;

/** Damages a certificate's Secret and leaves too little room in it for the real files. */
async function overfill(world: World, { metadata: { name }, data = {} }: Secret): Promise<void> {
  const size = Object.values(data).reduce((sum, each) => sum + Buffer.from(each, 'base64').length, 0);
  const junk = Buffer.alloc(MOST_DATA - size + 200).toString('base64');
  await world.patch(secrets, name, { data: { 'tls.crt': Buffer.from('x').toString('base64'), junk } });
}

async function told(world: World): Promise<string[]> {
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  return items.filter(({ reason }) => reason === 'SecretNotWritten').map(({ note }) => note);
}

/** What CAcert signed in vain: asked for once, and once more for the damaged Secret. */
async function overfilledCAcert() {
  const cacert = await aCAcertWorld(stage);
  const { world } = cacert;
  const operator = await cacert.operator();
  await cacert.account();
  await cacert.certificate('mail');
  const before = await cacert.ready('mail');
  await world.settled();
  const since = world.tally(operator);
  await overfill(world, await world.get(secrets, 'mail-tls'));
  await cacert.failing('mail', 'SecretNotWritten');
  return { cacert, world, operator, before, since };
}

const isOther =
  ({ status }: CAcertCertificate) =>
  (now: CAcertCertificate) =>
    now.status?.serialNumber !== status?.serialNumber;

describe('a Secret without room for its files', () => {
  test('of a CAcert certificate is reported, tried with a backoff, and buys nothing more', async () => {
    const { cacert, world, operator, before, since } = await overfilledCAcert();
    await world.pass(4 * HOUR);

    expect(await cacert.says('mail')).toEqual([
      expect.stringMatching(TOO_LONG),
      expect.stringMatching(TOO_LONG),
    ]);
    const { writes } = since();
    expect(writes['PATCH secrets (422)']).toBeLessThanOrEqual(8);
    expect((await told(world)).length).toBeGreaterThan(0);
    expect(complaints(operator)).toEqual([]);

    await world.patch(secrets, 'mail-tls', { data: { junk: null } });
    await world.pass(9 * HOUR);
    await cacert.ready('mail', isOther(before));
    expect(cacert.asked()).toBe(2);
  });

  test('of a CAcert certificate does not cost the certificate when the process ends', async () => {
    const { cacert, world, operator, before } = await overfilledCAcert();
    await operator.stop();
    await world.patch(secrets, 'mail-tls', { data: { junk: null } });
    await cacert.operator();
    await world.pass(9 * HOUR);

    await cacert.ready('mail', isOther(before));
    expect(cacert.asked()).toBe(2);
    const { status } = await world.get(cacertCertificates, 'mail');
    expect(status).not.toHaveProperty('failedAttempts');
  });
});

describe('a Secret without room for its metadata', () => {
  test('of a TinyCert certificate is reported and tried with a backoff, and stays Ready', async () => {
    const { world, operator, id } = await issued(stage, '90d');
    const { metadata } = await world.get(secrets, 'web-tls');
    const gone = Object.fromEntries(Object.keys(metadata.annotations ?? {}).map((key) => [key, null]));
    const junk = 'j'.repeat(MOST_ANNOTATIONS - 10);
    const since = world.tally(operator);
    await world.patch(secrets, 'web-tls', { metadata: { annotations: { ...gone, junk } } });
    await world.pass(4 * HOUR);

    expect(await world.says(certificates, 'web')).toEqual([
      expect.stringMatching(/^Ready=True/),
      expect.stringMatching(METADATA_TOO_LONG),
    ]);
    const { writes } = since();
    expect(writes['PATCH secrets (422)']).toBeLessThanOrEqual(8);
    expect(writes['PATCH tinycertcertificates/status']).toBeLessThanOrEqual(8);
    expect((await told(world)).length).toBeGreaterThan(0);
    expect(complaints(operator)).toEqual([]);

    await world.patch(secrets, 'web-tls', { metadata: { annotations: { junk: null } } });
    await world.pass(9 * HOUR);
    expect(await world.says(certificates, 'web')).toEqual([expect.stringMatching(/^Ready=True/)]);
    expect(await world.get(secrets, 'web-tls')).toMatchObject({
      metadata: { annotations: metadata.annotations },
    });
    expect((await world.get(certificates, 'web')).status).toMatchObject({ certificateId: id });
    expect(world.calls()['cert/new']).toBe(1);
  });
});
