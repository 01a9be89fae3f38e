import { onTestFinished } from 'vitest';
import { issuers, type TinyCertIssuer } from '../../../src/api/kinds.ts';
import type { IssuerSpec } from '../../../src/api/tinycert/issuer-spec.ts';
import { secrets } from '../../../src/kube/objects.ts';
import { type DevServer, startDevServer } from '../../../tools/dev-server/index.ts';
import type { TestOperator } from './operator.ts';
import type { Stage } from './stage.ts';
import { aWorld, type World } from './world.ts';

/** A world with two CAs of different endpoints that give their authorities and certificates the same ids. */
export interface Twins {
  world: World;
  a: DevServer;
  b: DevServer;
  /** Starts an operator that may use both. */
  operator: () => Promise<TestOperator>;
}

/** Two such CAs, with the issuers `a` and `b`. Faults that leave a call unanswered do not work with them. */
export async function twins(stage: Stage, spec: Partial<IssuerSpec> = {}): Promise<Twins> {
  const world = await aWorld(stage);
  const [a, b] = await Promise.all([aCa(stage), aCa(stage)]);
  await issuerOf(world, 'a', a, spec);
  await issuerOf(world, 'b', b, spec);
  const operator = (): Promise<TestOperator> =>
    world.operator({ allowedEndpoints: [a.endpoint, b.endpoint] });
  return { world, a, b, operator };
}

/** An issuer with this name, and the Secret `<name>-login` with its credentials. */
export async function issuerOf(
  world: World,
  name: string,
  ca: DevServer,
  spec: Partial<IssuerSpec> = {},
): Promise<TinyCertIssuer> {
  const { endpoint, authorityId, email, passphrase, apiKey } = ca;
  const credentials = await world.create(secrets, `${name}-login`, {
    stringData: { email, passphrase, apiKey },
  });
  return world.create(issuers, name, {
    spec: {
      endpoint,
      credentialsSecretRef: { name: credentials.metadata.name },
      authority: { id: authorityId },
      ...spec,
    },
  });
}

async function aCa(stage: Stage): Promise<DevServer> {
  // Without TLS, since a certificate made now would begin in the future of the real clock.
  const { now } = stage.clock;
  const ca = await startDevServer({ now, protocol: 'http', email: 'ops@example.com', otherCustomers: 0 });
  onTestFinished(() => ca.stop());
  return ca;
}
