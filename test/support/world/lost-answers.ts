import { expect } from 'vitest';
import { type Secret, secrets } from '../../../src/kube/objects.ts';
import type { CertificateView, Fault } from '../../../tools/dev-server/types.ts';
import { filesOf } from '../x509/openssl.ts';
import type { TestOperator } from './operator.ts';
import type { Stage } from './stage.ts';
import { type World, aWorld } from './world.ts';

/** How long after its start an attempt without a result can still have an effect. */
export const QUIET_MS = 45_000;

/** The certificates that operators, not people, bought for this name. */
export function bought({ dev }: Stage, cn: string): CertificateView[] {
  return dev.certificates().filter((certificate) => certificate.cn === cn && certificate.origin !== 'manual');
}

/** Issues a certificate for `<name>.example.com` by hand at the web page. */
export function byHand({ dev }: Stage, name: string): Promise<CertificateView> {
  const cn = `${name}.example.com`;
  return dev.issueByHand({ cn, names: [{ type: 'DNS', value: cn }] });
}

/** Checks that the Secret and status of `name` have exactly this certificate. */
export async function expectServed(
  world: World,
  name: string,
  certificate: CertificateView | undefined,
): Promise<void> {
  const { status } = await world.ready(name);
  expect(status).toMatchObject({ certificateId: certificate?.id });
  const { crt } = filesOf(await world.get(secrets, `${name}-tls`));
  expect(crt).toBe(world.stage.dev.certificatePem(certificate?.id ?? 0));
}

/** Checks that one certificate was bought for `name`, that the Secret has it, and that there was no call beyond `calls`. */
export async function expectBoughtOnce(world: World, name: string, calls = 1): Promise<void> {
  const [only, ...others] = bought(world.stage, `${name}.example.com`);
  expect(others).toEqual([]);
  await expectServed(world, name, only);
  expect(world.calls()).toMatchObject({ 'cert/new': calls });
}

/** A world whose operator dies after it has written the Secret of `name`, before it writes the result into status. */
export async function diesBeforeStatus(
  stage: Stage,
  name: string,
): Promise<{ world: World; secret: Secret }> {
  const world = await aWorld(stage);
  await world.account();
  const operator = await world.operator();
  let stopped: Promise<void> | undefined;
  operator.traffic.onAnswer = ({ method, resource, name: of }) => {
    if (method === 'POST' && resource === 'secrets' && of === `${name}-tls`)
      stopped ??= operator.stop('by force').catch(() => undefined);
  };
  await world.certificate(name);
  const secret = await world.until(secrets, `${name}-tls`, () => true);
  await stopped;
  return { world, secret };
}

/** A world with a new certificate, and an operator that meets `faults` while it issues it. */
export async function wanted(
  stage: Stage,
  name: string,
  ...faults: Fault[]
): Promise<{ world: World; operator: TestOperator }> {
  const world = await aWorld(stage);
  for (const fault of faults) stage.dev.addFault(fault);
  await world.account();
  const operator = await world.operator();
  await world.certificate(name);
  await world.settled();
  return { world, operator };
}
