import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CertificateSpec } from '../../src/api/tinycert/certificate-spec.ts';
import { certificates, issuers, type TinyCertCertificate } from '../../src/api/kinds.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { nameHash, placeHash } from '../../src/issuance/tinycert/attempt.ts';
import { secrets } from '../../src/kube/objects.ts';
import { RECORDS_NAME } from '../../src/operator/journal.ts';
import { events } from '../support/world/crds.ts';
import { journalOf } from '../support/world/journal.ts';
import { bought, byHand, QUIET_MS } from '../support/world/lost-answers.ts';
import { complaints, statusAtCa, type Issued, issuedAsIs } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { watchDeletion } from '../support/kube/watching.ts';
import { type World, aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ keyPool: 8, keyPoolReuse: true });
});
afterAll(() => stage.close());

const REVOKE = { revocation: { onDelete: 'Revoke' } } as const;

/** A certificate `web` that is Ready. */
function issued(spec: Partial<Record<keyof CertificateSpec, unknown>> = REVOKE): Promise<Issued> {
  return issuedAsIs(stage, spec);
}

/** Requests the deletion of `web`, without waiting for its end. */
async function begin(world: World, type: typeof certificates | typeof issuers = certificates, name = 'web') {
  await stage.kube.delete(type, world.ref(name));
}

/** Deletes `web` and waits for its end. Returns its last state, and its status at the CA at that moment. */
async function deleted({ world, id }: Pick<Issued, 'world' | 'id'>, name = 'web') {
  const last = await watchDeletion(stage.kube, certificates, world.ref(name), () =>
    begin(world, certificates, name),
  );
  return { last, atCa: statusAtCa(stage, id) };
}

function pendingReason({ status }: TinyCertCertificate): string | undefined {
  return conditionOf(status?.conditions, 'RevocationPending')?.reason;
}

async function reasons(world: World): Promise<string[]> {
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  return items.map(({ reason }) => reason);
}

async function exists(world: World, name = 'web'): Promise<boolean> {
  return (await stage.kube.find(certificates, world.ref(name))) !== undefined;
}

test('twenty certificates whose deletions are due at once share lists of all resources', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `web-${i}`);
  const world = await aWorld(stage);
  await world.account();
  const first = await world.operator();
  for (const name of names) await world.certificate(name, REVOKE);
  const ready = await world.untilAll(names.length, ({ status }) => status?.certificateStatus === 'good');
  const ids = ready.map(({ status }) => status?.certificateId ?? 0);
  await world.settled();
  await first.stop();
  await Promise.all(names.map((name) => begin(world, certificates, name)));

  const operator = await world.operator({ concurrency: names.length });
  await world.pass(10_000);

  expect(ids.map((id) => statusAtCa(stage, id))).toEqual(ids.map(() => 'revoked'));
  const lists = operator.traffic.requests.filter(
    ({ method, resource, name }) =>
      method === 'GET' && resource === 'tinycertcertificates' && name === undefined,
  );
  // How many wait for each list depends on how long it takes.
  expect(lists.length).toBeLessThan(names.length);
  expect(complaints(operator)).toEqual([]);
});

describe('a deleted certificate', () => {
  test('without a pending revocation is gone at once, without a finalizer and without a call', async () => {
    const { world, operator, id } = await issued({});
    expect((await world.get(certificates, 'web')).metadata.finalizers).toBeUndefined();
    const since = world.tally(operator);

    expect(await deleted({ world, id })).toMatchObject({ atCa: 'good' });
    expect(since().calls).toEqual({});
  });

  test.each([
    ['Revoke', 'revoked', { 'cert/status': 1, 'cert/details': 1 }],
    ['Hold', 'hold', { 'cert/details': 2, 'cert/status': 1 }],
  ] as const)('with onDelete %s is gone once its status at the CA is %s', async (onDelete, status, calls) => {
    const { world, operator, id } = await issued({ revocation: { onDelete } });
    expect(operator.traffic.writes()).toMatchObject({
      'PATCH tinycertcertificates': 1,
      'PATCH tinycertcertificates/status': 1,
      'POST secrets': 1,
      'PATCH tinycertissuers': 1,
    });
    const order = operator.traffic.requests
      .filter(({ method }) => method !== 'GET')
      .map(({ resource }) => resource);
    expect(order.indexOf('tinycertcertificates')).toBeLessThan(order.indexOf('tinycertcertificates/status'));
    const since = world.tally(operator);

    expect(await deleted({ world, id })).toMatchObject({ atCa: status });
    await world.settled();

    expect(since().calls).toEqual(calls);
    expect(await stage.kube.find(secrets, world.ref('web-tls'))).toBeDefined();
    expect((await world.get(issuers, 'ca')).metadata.finalizers ?? []).toEqual([]);
    expect(complaints(operator)).toEqual([]);
  });

  test.each<[string, (id: number) => unknown, string | undefined]>([
    ['was revoked by hand', (id) => stage.dev.setStatusByHand(id, 'revoked'), 'revoked'],
    ['was reissued by hand', (id) => stage.dev.reissueByHand(id), 'obsolete'],
  ])('whose certificate %s is gone, and nothing is undone', async (_, byHand, status) => {
    for (const onDelete of ['Revoke', 'Hold']) {
      const { world, id } = await issued({ revocation: { onDelete } });
      byHand(id);
      expect(await deleted({ world, id })).toMatchObject({ atCa: status });
    }
  });

  test.each([
    ['goes', false],
    ['is gone, even once its issuer reports that the authority is gone', true],
  ])('whose certificate the CA no longer has %s', async (_, isSeen) => {
    const world = await aWorld(stage);
    const authorityId = await stage.dev.addAuthority({ organization: 'Passing', country: 'NL' });
    await world.account({ authority: { id: authorityId } });
    await world.operator();
    await world.certificate('web', REVOKE);
    const { status } = await world.ready('web');
    await world.settled();
    stage.dev.deleteAuthority(authorityId);
    if (isSeen) await world.pass(30 * 60_000);

    expect(await deleted({ world, id: status?.certificateId ?? 0 })).toMatchObject({ atCa: undefined });
  });

  test('whose certificate has expired is gone', async () => {
    await stage.dev.setOptions({ validity: '2m' });
    const { world, id } = await issued({ ...REVOKE });
    await stage.dev.setOptions({ validity: '365d', listening: false });
    await world.pass(3 * 60_000);
    await stage.dev.setOptions({ listening: true });
    stage.dev.addFault({ call: 'cert/reissue', times: 'forever', kind: 'error', code: 'UnknownError' });
    await begin(world);
    await world.pass(120_000);

    expect([await exists(world), statusAtCa(stage, id)]).toEqual([false, 'expired']);
  });

  test('waits while the CA is down, reports why, and is gone when it is back', async () => {
    const { world, id } = await issued();
    await stage.dev.setOptions({ listening: false });

    await begin(world);
    await world.pass(30 * 60_000);

    expect(pendingReason(await world.get(certificates, 'web'))).toBe('IssuerNotReady');
    expect(await reasons(world)).toContain('IssuerNotReady');
    expect(statusAtCa(stage, id)).toBe('good');

    await stage.dev.setOptions({ listening: true });
    await world.pass(120_000);
    expect(await exists(world)).toBe(false);
    expect(statusAtCa(stage, id)).toBe('revoked');
  });

  test('never loses its finalizer by time while its issuer exists, whatever the CA answers', async () => {
    const { world, id } = await issued();
    stage.dev.addFault({ call: 'cert/status', times: 'forever', kind: 'error', code: 'InputFailure' });

    await begin(world);
    await world.pass(3 * 3_600_000);

    expect(pendingReason(await world.get(certificates, 'web'))).toBe('InputFailure');
    stage.dev.clearFaults();
    await world.pass(15 * 60_000);
    expect([await exists(world), statusAtCa(stage, id)]).toEqual([false, 'revoked']);
  });

  test.each([
    ['once', 1],
    ['every time', 'forever'],
  ] as const)(
    'with several certificates to revoke does not repeat calls forever when one fails %s',
    async (_, times) => {
      const { world, id } = await issued();
      await world.patch(certificates, 'web', { spec: { dnsNames: ['web.example.com', 'b.example.com'] } });
      await world.settled();
      const { status } = await world.ready('web');
      expect(status?.formerCertificates).toEqual([world.named(id)]);
      const mark = world.mark();
      const fault = { kind: 'html', status: 500, times } as const;
      stage.dev.addFault({
        call: 'cert/status',
        ...fault,
        match: { cert_id: String(status?.certificateId) },
      });

      await begin(world);
      await world.pass(10 * 60_000);

      // What is done is not done again for the sake of the other, whose delays grow.
      const first = stage.dev
        .journal(mark)
        .filter(({ call, result }) => call === 'cert/status' && result?.certId === id);
      expect(first).toHaveLength(1);
      expect(world.calls(mark)['cert/status']).toBeLessThan(times === 1 ? 5 : 30);
      expect(await exists(world)).toBe(times === 'forever');
      stage.dev.clearFaults();
      await world.pass(10 * 60_000);
      expect([await exists(world), statusAtCa(stage, id)]).toEqual([false, 'revoked']);
      expect(statusAtCa(stage, status?.certificateId)).toBe('revoked');
    },
  );

  test('is gone at once when onDelete is set to None, and its certificate stays unchanged', async () => {
    const { world, id } = await issued();
    stage.dev.addFault({ call: 'cert/status', times: 'forever', kind: 'hang' });
    await stage.dev.setOptions({ listening: false });
    await begin(world);
    await world.pass(120_000);

    await world.patch(certificates, 'web', { spec: { revocation: { onDelete: 'None' } } });
    await world.settled();

    expect([await exists(world), statusAtCa(stage, id)]).toEqual([false, 'good']);
  });

  test('with a finalizer of others stays for them, and loses ours once', async () => {
    const { world, operator, id } = await issued();
    await world.patch(certificates, 'web', {
      metadata: { finalizers: ['example.com/mine', 'tinycert-operator.io/revocation'] },
    });
    await begin(world);
    await world.until(certificates, 'web', ({ metadata }) => metadata.finalizers?.length === 1);
    await world.settled();
    const since = world.tally(operator);
    await world.pass(60_000);

    expect((await world.get(certificates, 'web')).metadata.finalizers).toEqual(['example.com/mine']);
    expect(statusAtCa(stage, id)).toBe('revoked');
    expect(since()).toEqual({ calls: {}, writes: {} });
    await world.patch(certificates, 'web', { metadata: { finalizers: null } });
    expect(await exists(world)).toBe(false);
  });
});

describe('an open attempt of a deleted certificate', () => {
  test('is recovered first, and the certificate it bought is revoked', async () => {
    const world = await aWorld(stage);
    await world.account();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await world.operator();
    await world.certificate('lost', REVOKE);
    await world.call(({ call, endedAt }) => call === 'cert/new' && endedAt !== undefined);
    await world.settled();
    await begin(world, certificates, 'lost');
    await world.pass(10_000);
    expect(pendingReason(await world.get(certificates, 'lost'))).toBe('Recovering');

    await world.pass(QUIET_MS + 5_000);

    expect(await exists(world, 'lost')).toBe(false);
    expect(bought(stage, 'lost.example.com').map(({ status }) => status)).toEqual(['revoked']);
  });

  test('that bought nothing delays nothing, and the previous certificate is revoked', async () => {
    const { world, id } = await issued();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-before' });
    await world.patch(certificates, 'web', { spec: { dnsNames: ['web.example.com', 'b.example.com'] } });
    await world.call(({ call, endedAt, fault }) => call === 'cert/new' && !!endedAt && !!fault);
    await begin(world);

    await world.pass(QUIET_MS + 5_000);

    expect([await exists(world), statusAtCa(stage, id)]).toEqual([false, 'revoked']);
  });
});

describe('a certificate that may not be the deleted resource’s', () => {
  test('is recorded before the resource is gone', async () => {
    const world = await aWorld(stage);
    await world.account();
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    const operator = await world.operator();
    await world.certificate('both', REVOKE);
    await world.call(({ call, endedAt }) => call === 'cert/new' && endedAt !== undefined);
    await world.settled();
    const manual = await byHand(stage, 'both');
    const { uid } = (await world.get(certificates, 'both')).metadata;

    await begin(world, certificates, 'both');

    await world.pass(QUIET_MS + 5_000);

    expect(await exists(world, 'both')).toBe(false);
    const sent = operator.traffic.requests.filter(({ method }) => method !== 'GET');
    const recorded = sent.findIndex(({ name }) => name === RECORDS_NAME);
    expect(recorded).toBeGreaterThan(-1);
    expect(recorded).toBeLessThan(sent.findLastIndex(({ resource }) => resource === 'tinycertcertificates'));
    const [lost] = bought(stage, 'both.example.com');
    expect([lost, manual].map((one) => statusAtCa(stage, one?.id))).toEqual(['good', 'good']);
    const issuer = placeHash(`TinyCertIssuer:${world.namespace}/ca`);
    const journal = await journalOf(world);
    expect(journal).toMatchObject({
      attempts: [],
      abandoned: [{ uid, nameHash: nameHash('both.example.com'), issuer }],
      released: [lost, manual].map((one) => ({ certificateId: one?.id, cause: 'Undecided', issuer })),
    });
  });
});

describe('no certificate is revoked that may be another’s:', () => {
  test('an id that another resource claims', async () => {
    const { world, operator, id } = await issued();
    await operator.stop();
    // While it is suspended the forged claim stays undetected.
    await world.certificate('copy', { secretName: 'copy-tls', suspend: true });
    const { status } = await world.get(certificates, 'web');
    await world.patch(certificates, 'copy', { status: world.named(id) }, 'status');
    expect(status?.certificateId).toBe(id);
    await world.operator();

    const copied = { ...(await deleted({ world, id })) };

    expect(copied.atCa).toBe('good');
    expect(await reasons(world)).toContain('ClaimedByAnother');
  });

  test('an id in a status that somebody else wrote', async () => {
    const { world, operator, id: victim } = await issued({});
    await operator.stop();
    await world.certificate('thief', { ...REVOKE, secretName: 'thief-tls' });
    await world.patch(certificates, 'thief', {
      metadata: { finalizers: ['tinycert-operator.io/revocation'] },
    });
    await world.patch(
      certificates,
      'thief',
      {
        status: {
          ...world.named(0),
          formerCertificates: [world.named(victim)],
          pendingRevocations: [
            { ...world.named(victim), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' },
          ],
        },
      },
      'status',
    );
    // The victim's resource is gone, so no claim protects its certificate.
    await world.delete(certificates, 'web');
    await begin(world, certificates, 'thief');
    await world.operator();
    await world.settled();

    expect([await exists(world, 'thief'), statusAtCa(stage, victim)]).toEqual([false, 'good']);
    expect(await reasons(world)).toContain('SealBroken');
  });

  test('an id that somebody wrote into status, beside what an open attempt bought', async () => {
    const { world, id: victim } = await issued({});
    stage.dev.addFault({ call: 'cert/new', kind: 'reset-after' });
    await world.certificate('thief', REVOKE);
    await world.call(({ call, fault, endedAt }) => call === 'cert/new' && !!fault && endedAt !== undefined);
    await world.patch(certificates, 'thief', { status: world.named(victim) }, 'status');
    await world.delete(certificates, 'web');
    await begin(world, certificates, 'thief');

    await world.pass(QUIET_MS + 5_000);

    expect([await exists(world, 'thief'), statusAtCa(stage, victim)]).toEqual([false, 'good']);
    expect(bought(stage, 'thief.example.com').map(({ status }) => status)).toEqual(['revoked']);
  });

  test('but one whose key is in the resource’s own Secret is, although the API key was replaced', async () => {
    const { world, id } = await issued();
    const before = stage.dev.apiKey;
    const apiKey = 'another-key-of-the-account';
    await stage.dev.setOptions({ apiKey });
    onTestFinished(() => stage.dev.setOptions({ apiKey: before }));
    await world.patch(secrets, 'account', { stringData: { apiKey } });
    await world.settled();

    expect(await deleted({ world, id })).toMatchObject({ atCa: 'revoked' });
  });
});
