import { expect } from 'vitest';
import { secrets } from '../../src/kube/objects.ts';
import type { CertificateView, Fault } from '../../tools/dev-server/types.ts';
import { filesOf } from './openssl.ts';
import type { TestOperator } from './operator.ts';
import type { Stage } from './stage.ts';
import { type World, aWorld } from './world.ts';

/** How long after an attempt without a result nothing of it can happen any more. */
export const QUIET_MS = 45_000;

/** The certificates that were bought for this name by the operators, and not by hand. */
export function bought({ dev }: Stage, cn: string): CertificateView[] {
  return dev.certificates().filter((certificate) => certificate.cn === cn && certificate.origin !== 'manual');
}

/** Somebody makes a certificate for `<name>.example.com` at the web page. */
export function byHand({ dev }: Stage, name: string): Promise<CertificateView> {
  const cn = `${name}.example.com`;
  return dev.issueByHand({ cn, names: [{ type: 'DNS', value: cn }] });
}

/** Checks that `name` serves exactly this certificate. */
export async function expectServed(
  world: World,
  name: string,
  certificate: CertificateView | undefined,
): Promise<void> {
  const { status } = await world.ready(name);
  expect(status).toMatchObject({
    certificateId: certificate?.id,
    attempt: { certificateId: certificate?.id },
  });
  const { crt } = filesOf(await world.get(secrets, `${name}-tls`));
  expect(crt).toBe(world.stage.dev.certificatePem(certificate?.id ?? 0));
}

/** A world with a certificate of its own name that is wanted, and an operator that meets `faults` over it. */
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
