import { X509Certificate, createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CertificateSpec } from '../../src/api/tinycert/certificate-spec.ts';
import { certificates } from '../../src/api/kinds.ts';
import { FLUSH_MS } from '../../src/journal/term.ts';
import { type Secret, secrets } from '../../src/kube/objects.ts';
import { filesOf } from '../support/x509/openssl.ts';
import { complaints, issued, requested, statusAtCa } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { record } from '../support/kube/watching.ts';
import { aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

const withoutJitter = { policy: 'RenewBefore', jitterPercent: 0 } as const;

/** Whether all three files of a Secret match, and its certificate. */
function whole(secret: Secret): X509Certificate {
  const { crt, key, ca } = filesOf(secret);
  const leaf = new X509Certificate(crt);
  expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(leaf.verify(new X509Certificate(ca).publicKey)).toBe(true);
  expect(secret.metadata.annotations?.['tinycert-operator.io/certificate-id']).toBe(
    String(Number.parseInt(leaf.serialNumber, 16)),
  );
  return leaf;
}

/** The certificate that another one was reissued from. */
function previousOf(id: number | undefined): number | undefined {
  return stage.dev.certificates().find((one) => one.id === id)?.previousId;
}

describe('a certificate of one minute', () => {
  test.each([
    ['Never', 'cert/reissue', 1],
    ['Always', 'cert/new', 7],
  ] as const)(
    'with rotationPolicy %s is renewed in time, again and again, and its Secret is complete in every version',
    async (rotationPolicy, call, keys) => {
      await stage.dev.setOptions({ validity: '60s' });
      const world = await aWorld(stage);
      await world.account();
      const recording = record(stage.kube, secrets, world.namespace);
      const operator = await world.operator();
      await world.certificate('web', { privateKey: { rotationPolicy }, renewal: withoutJitter });
      await world.ready('web');
      await world.settled();
      await world.pass(FLUSH_MS);
      const since = world.tally(operator);
      const mark = operator.traffic.mark();

      // The last third begins after forty seconds: six renewals, at 40, 80, 120, 160, 200 and 240.
      await world.pass(250_000);

      expect(since()).toEqual({
        calls: { [call]: 6, 'cert/get': 12 },
        writes: { 'PATCH tinycertcertificates/status': 6, 'PATCH secrets': 6 },
      });
      // Each attempt, and its end, since nothing else is written to the journal meanwhile.
      expect([operator.traffic.journalWrites(mark), operator.traffic.recordWrites()]).toEqual([12, 0]);
      expect(complaints(operator)).toEqual([]);
      await recording.stop(world.ref('web-tls'));
      const versions = recording.events.filter(({ object }) => object.metadata.name === 'web-tls');
      expect(versions.map(({ type }) => type)).toEqual(['ADDED', ...Array<string>(6).fill('MODIFIED')]);
      const leaves = versions.map(({ object }) => whole(object));
      const fingerprints = leaves.map(({ publicKey }) =>
        publicKey.export({ type: 'spki', format: 'der' }).toString('hex'),
      );
      expect(new Set(fingerprints).size).toBe(keys);
      for (const [i, next] of leaves.entries()) {
        const before = leaves[i - 1];
        if (!before) continue;
        expect(Number.parseInt(next.serialNumber, 16)).toBeGreaterThan(
          Number.parseInt(before.serialNumber, 16),
        );
        // The old one was valid for a third of its life still.
        expect(Date.parse(before.validTo) - Date.parse(next.validFrom)).toBeGreaterThanOrEqual(18_000);
      }
      expect((await world.get(certificates, 'web')).status?.revision).toBe(7);
    },
  );
});

describe('a renewal comes', () => {
  test.each<[string, Partial<CertificateSpec>, number]>([
    ['in the last third of the lifetime', {}, 40],
    ['as long before the end as renewBefore says', { renewBefore: '15m' }, 45],
    ['when the share in renewBeforePercentage is left', { renewBeforePercentage: 50 }, 30],
    ['in the last third if renewBefore does not fit into the lifetime', { renewBefore: '2h' }, 40],
  ])('%s', async (_, spec, minute) => {
    const { world, operator, id } = await issued(stage, '1h', { renewal: withoutJitter, ...spec });
    const since = world.tally(operator);

    await world.pass(minute * 60_000 - 5_000);
    expect(since().calls).not.toHaveProperty('cert/reissue');
    await world.pass(10_000);

    expect(since()).toMatchObject({
      calls: { 'cert/reissue': 1, 'cert/get': 2 },
      writes: { 'PATCH tinycertcertificates/status': 1, 'PATCH secrets': 1 },
    });
    const { status } = await world.ready('web');
    expect(status?.revision).toBe(2);
    expect(requested(operator).at(-1)).toEqual({ operation: 'Reissue', reason: 'Renewing' });
    expect(previousOf(status?.certificateId)).toBe(id);
    expect([statusAtCa(stage, id), statusAtCa(stage, status?.certificateId)]).toEqual(['obsolete', 'good']);
  });
});

describe('with jitter', () => {
  test('a renewal comes earlier by a share that is the same after a restart', async () => {
    const { world, operator } = await issued(stage, '1h', {
      renewal: { policy: 'RenewBefore', jitterPercent: 50 },
    });
    const { status } = await world.get(certificates, 'web');
    const early = Date.parse(status?.notAfter ?? '') - Date.parse(status?.renewalTime ?? '') - 20 * 60_000;
    expect(early).toBeGreaterThanOrEqual(0);
    expect(early).toBeLessThanOrEqual(10 * 60_000);
    await operator.stop();

    const next = await world.operator();
    const since = world.tally(next);
    await world.pass(40 * 60_000 - early - 5_000);
    expect(since().calls).not.toHaveProperty('cert/reissue');
    expect(since().writes).not.toHaveProperty('PATCH tinycertcertificates/status');
    await world.pass(10_000);

    expect(since().calls).toMatchObject({ 'cert/reissue': 1 });
  });
});

describe('a certificate that must not be renewed', () => {
  test('expires, which is reported once, and is issued again when its spec changes', async () => {
    const { world, operator } = await issued(stage, '1h', { renewal: { policy: 'Disabled' } });
    expect((await world.get(certificates, 'web')).status).not.toHaveProperty('renewalTime');
    const since = world.tally(operator);

    await world.pass(60 * 60_000 - 5_000);
    expect(since().writes).not.toHaveProperty('PATCH tinycertcertificates/status');
    await world.pass(120 * 60_000);

    expect(since().calls).not.toHaveProperty('cert/reissue');
    expect(since().calls).not.toHaveProperty('cert/new');
    expect(since().writes).toMatchObject({ 'PATCH tinycertcertificates/status': 1 });
    const { status } = await world.get(certificates, 'web');
    expect(status?.certificateStatus).toBe('expired');
    expect(await world.says(certificates, 'web')).toEqual([
      `Ready=False Expired: Certificate ${status?.certificateId} expired at ${status?.notAfter} and is not renewed.`,
    ]);

    await world.patch(certificates, 'web', { spec: { dnsNames: ['other.example.com'] } });
    await world.ready('web');
    expect(since().calls).toMatchObject({ 'cert/new': 1 });
  });
});

describe('with windows', () => {
  const HOUR = 3_600_000;
  /** A window that opens once a day, this long after now, to the minute. */
  function windowIn(ms: number): { cron: string; timezone: string; windowDuration: string } {
    const opens = new Date(stage.clock.now() + ms);
    const cron = `${opens.getUTCMinutes()} ${opens.getUTCHours()} * * *`;
    return { cron, timezone: 'Etc/UTC', windowDuration: '10m' };
  }
  const outside = 'RenewalOutsideWindow';

  test.each([
    ['in the first one after it is due', 2.5, 2.5, 'Renewing'],
    ['in the last one before it is due if there is none after', 1.5, 1.5, 'Renewing'],
    ['when it is due if there is neither', 6, 2, outside],
  ])('a renewal comes %s', async (_, opensAfter, comesAfter, reason) => {
    const windows = [windowIn(opensAfter * HOUR)];
    const { world, operator } = await issued(stage, '3h', { renewal: { ...withoutJitter, windows } });
    const since = world.tally(operator);

    await world.pass(comesAfter * HOUR - 2 * 60_000);
    expect(since().calls).not.toHaveProperty('cert/reissue');
    await world.pass(13 * 60_000);

    expect(since().calls).toMatchObject({ 'cert/reissue': 1 });
    await world.ready('web');
    expect(requested(operator).at(-1)?.reason).toBe(reason);
    const told = since().writes['POST events'] ?? 0;
    expect(told).toBe(reason === outside ? 1 : 0);
  });

  test('an unknown time zone is reported, and nothing is bought until it is corrected', async () => {
    await stage.dev.setOptions({ validity: '3h' });
    const world = await aWorld(stage);
    await world.account();
    await world.operator();
    const windows = [{ ...windowIn(HOUR), timezone: 'Mars/Olympus' }];
    await world.certificate('web', { renewal: { windows } });
    await world.settled();

    expect(await world.says(certificates, 'web')).toEqual([
      'Ready=False InvalidSpec: The spec cannot be used: spec.renewal.windows[0].timezone: "Mars/Olympus" is not a known time zone: write a name from the IANA database such as Europe/Amsterdam, or UTC',
    ]);
    expect(world.calls()).not.toHaveProperty('cert/new');

    await world.patch(certificates, 'web', { spec: { renewal: null } });
    await world.ready('web');
  });
});

describe('after the machine has slept', () => {
  test.each([
    ['past the time of renewal', 50],
    ['past the end of the certificate', 120],
  ])('%s, a certificate is renewed within a minute, once', async (_, minutes) => {
    const { world, id } = await issued(stage, '1h');
    // A session may have ended too, so a call is made twice: what counts is the number of certificates.
    const issuedSince = (): number => stage.dev.certificates().filter((one) => one.id > id).length;

    // During a sleep the wall clock continues; the monotonic one and all timers stand still.
    stage.clock.jump(minutes * 60_000);
    await world.pass(61_000);

    expect(issuedSince()).toBe(1);
    const { status } = await world.ready('web');
    expect(status?.revision).toBe(2);
    expect(previousOf(status?.certificateId)).toBe(id);
    await world.pass(30 * 60_000);
    expect(issuedSince()).toBe(1);
  });
});
