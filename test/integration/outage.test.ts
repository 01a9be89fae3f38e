import { afterAll, beforeAll, expect, test } from 'vitest';
import { certificates, issuers, type TinyCertCertificate } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { type AuditedStage, openAuditedStage, writesByName, writesOf } from '../support/world/audit.ts';
import { complaints, unmet } from '../support/world/scenario.ts';
import type { Stage } from '../support/world/stage.ts';
import { counted } from '../support/world/traffic.ts';
import { aWorld, sentence, type World } from '../support/world/world.ts';

let audited: AuditedStage;
let stage: Stage;
beforeAll(async () => {
  audited = await openAuditedStage({ keyPool: 16, keyPoolReuse: true });
  ({ stage } = audited);
});
afterAll(() => audited.close());

const MINUTE = 60_000;
const COUNT = 1_000;
const NAMES = Array.from({ length: COUNT }, (_, i) => `web-${i}`);
const STATUS = 'patch tinycertcertificates/status 200';
const WAITS = unmet(
  'IssuerNotReady',
  'TinyCertIssuer ca is not ready; its own conditions say why. The operator continues by itself as soon as it is.',
).join(' ');
const READY = 'Ready=True Ready: The Secret holds a valid certificate for this spec.';

/** All conditions of a certificate. */
function words({ status }: TinyCertCertificate): string {
  return (status?.conditions ?? []).map(sentence).join(' ');
}

/** The conditions of all certificates, each text with its count. */
async function said({ namespace }: World): Promise<Record<string, number>> {
  const { items } = await stage.kube.listAll(certificates, { namespace });
  return counted(items.map(words));
}

test(
  'a thousand certificates wait for correct credentials with one write each and hardly any calls, and then all are issued',
  { timeout: 300_000 },
  async () => {
    const each = (times: number): Record<string, number> =>
      Object.fromEntries(NAMES.map((name) => [name, times]));
    const { kubeconfig, audit } = audited;
    const world = await aWorld(stage);
    await world.credentials({ passphrase: 'wrong' });
    await world.issuer();
    const operator = await world.operator({ kubeconfig });
    await world.until(issuers, 'ca', ({ status }) => status?.session?.state === 'Refused');
    await world.certificates(NAMES);
    await world.untilAll(COUNT, (certificate) => words(certificate) === WAITS);
    await world.settled();
    const began = stage.clock.now();
    await world.pass(30 * MINUTE);

    const minutes = (stage.clock.now() - began) / MINUTE;
    const calls = Object.values(world.calls()).reduce((sum, count) => sum + count, 0);
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThan(minutes);
    expect(await said(world)).toEqual({ [WAITS]: COUNT });
    const during = await audit.entries();
    expect(writesByName(during, STATUS)).toEqual(each(1));

    const mark = world.mark();
    await world.patch(secrets, 'account', { stringData: { passphrase: stage.dev.passphrase } });
    await world.untilAll(COUNT, (certificate) => words(certificate) === READY);
    await world.settled();

    expect(world.calls(mark)).toEqual({
      connect: 1,
      'ca/list': 1,
      'cert/list': 1,
      'ca/details': 1,
      'ca/get': 1,
      'cert/new': COUNT,
      'cert/get': 2 * COUNT,
    });
    const after = await audit.entries(during.length);
    expect(writesByName(after, STATUS)).toEqual(each(1));
    const { 'patch journal 200': shared, ...own } = writesOf(after);
    expect(own).toMatchObject({ [STATUS]: COUNT, 'create secrets 201': COUNT });
    // The attempts, and their ends, share writes.
    expect(shared).toBeLessThan(COUNT);
    expect(await said(world)).toEqual({ [READY]: COUNT });
    expect(complaints(operator)).toEqual([]);
  },
);

test('certificates that were under way when the CA failed also report that they wait, once their attempts can have no more effect', async () => {
  const names = NAMES.slice(0, 8);
  const world = await aWorld(stage);
  await world.account();
  stage.dev.addFault({ call: 'cert/new', times: 'forever', kind: 'error', code: 'UnknownError' });
  await world.certificates(names);

  const operator = await world.operator({ concurrency: names.length });
  await world.pass(5 * MINUTE);

  expect(await said(world)).toEqual({ [WAITS]: names.length });
  expect(complaints(operator)).toEqual([]);
});
