import { onTestFinished } from 'vitest';
import type { CAcertAccountSpec } from '../../../src/api/cacert/account-spec.ts';
import type { CAcertCertificateSpec } from '../../../src/api/cacert/certificate-spec.ts';
import {
  type CAcertAccount,
  type CAcertCertificate,
  cacertAccounts,
  cacertCertificates,
} from '../../../src/api/kinds.ts';
import { pendingSecretRef } from '../../../src/cacert-certificates/pending-keys.ts';
import { conditionOf } from '../../../src/issuance/status/conditions.ts';
import { type Secret, secrets } from '../../../src/kube/objects.ts';
import { collectionPath } from '../../../src/kube/paths.ts';
import type { Settings } from '../../../src/operator/flags.ts';
import { type CAcertServer, startCAcertServer } from '../../../tools/dev-server/index.ts';
import type { CAcertServerOptions } from '../../../tools/dev-server/cacert/types.ts';
import type { TestOperator } from './operator.ts';
import type { Stage } from './stage.ts';
import { aWorld, sentence, type World } from './world.ts';

/** The server's member by default. */
export const MEMBER = {
  username: 'jane@example.org',
  password: 'correct horse',
  firstName: 'Jane',
  lastName: 'Doe',
  emails: ['jane@example.org', 'jane.doe@example.org'],
};
export const NAME = 'Jane Doe';

type Written<T> = { [Field in keyof T]?: unknown };

/** One test's part of the stage, with a CAcert server of its own. */
export class CAcertWorld {
  readonly world: World;
  readonly server: CAcertServer;

  constructor(world: World, server: CAcertServer) {
    this.world = world;
    this.server = server;
  }

  operator(settings: Partial<Settings> = {}): Promise<TestOperator> {
    const allowedEndpoints = [this.server.endpoint, this.world.stage.dev.endpoint];
    return this.world.operator({ allowedEndpoints, ...settings });
  }

  /** The Secret `login` of the member, or of somebody else. */
  login(changed: Record<string, string> = {}): Promise<Secret> {
    const { username, password } = MEMBER;
    return this.world.create(secrets, 'login', { stringData: { username, password, ...changed } });
  }

  /** The account `me`, and its login. */
  async account(spec: Written<CAcertAccountSpec> = {}): Promise<CAcertAccount> {
    await this.login();
    const { endpoint, caPem: caBundle } = this.server;
    const whole = { endpoint, caBundle, credentialsSecretRef: { name: 'login' }, ...spec };
    return this.world.create(cacertAccounts, 'me', { spec: whole as CAcertAccountSpec });
  }

  /** A certificate of `me`, by default for the member's address. Its key is small, so it is made fast. */
  certificate(name: string, spec: Written<CAcertCertificateSpec> = {}): Promise<CAcertCertificate> {
    const whole = {
      secretName: `${name}-tls`,
      accountRef: { name: 'me' },
      emailAddresses: [MEMBER.username],
      privateKey: { size: 2048 },
      ...spec,
    };
    return this.world.create(cacertCertificates, name, { spec: whole as CAcertCertificateSpec });
  }

  /** The certificate once it is Ready for its present spec. */
  ready(name: string, condition: (object: CAcertCertificate) => boolean = () => true) {
    return this.until(name, (object) => {
      const ready = conditionOf(object.status?.conditions, 'Ready');
      return (
        ready?.status === 'True' &&
        ready.observedGeneration === object.metadata.generation &&
        condition(object)
      );
    });
  }

  /** The certificate once its Issuing condition has this reason. */
  failing(name: string, reason: string) {
    return this.until(name, ({ status }) => {
      const issuing = conditionOf(status?.conditions, 'Issuing');
      return issuing?.status === 'False' && issuing.reason === reason;
    });
  }

  until(name: string, condition: (object: CAcertCertificate) => boolean): Promise<CAcertCertificate> {
    return this.world.until(cacertCertificates, name, condition);
  }

  /** The name of the Secret with the pending key. */
  async pendingName(name: string): Promise<string> {
    return pendingSecretRef(await this.world.get(cacertCertificates, name)).name;
  }

  async says(name: string): Promise<string[]> {
    const { status } = await this.world.get(cacertCertificates, name);
    return (status?.conditions ?? []).map(sentence);
  }

  /** How often a certificate was requested. */
  asked(): number {
    return this.server.journal().filter(({ call }) => call === 'ccsr').length;
  }
}

/** A new namespace on the stage, and a CAcert server on its clock. */
export async function aCAcertWorld(stage: Stage, options: CAcertServerOptions = {}): Promise<CAcertWorld> {
  const server = await startCAcertServer({ members: [MEMBER], now: stage.clock.now, ...options });
  const world = await aWorld(stage);
  onTestFinished(async () => {
    for (const type of [cacertCertificates, cacertAccounts])
      await stage.kube.transport.request({
        method: 'DELETE',
        path: collectionPath(type, world.namespace),
      });
    await server.stop();
  });
  return new CAcertWorld(world, server);
}
