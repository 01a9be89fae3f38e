import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificates } from '../../src/api/kinds.ts';
import type { CertificateSpec } from '../../src/api/tinycert/certificate-spec.ts';
import { secrets } from '../../src/kube/objects.ts';
import type { CertificateView, DevServer } from '../../tools/dev-server/types.ts';
import { events } from '../support/world/crds.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { twins } from '../support/world/twins.ts';
import type { World } from '../support/world/world.ts';
import { filesOf } from '../support/x509/openssl.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** After which an attempt can have no further effect, and its recovery has run. */
const QUIET_MS = 60_000;
const CHECK_MS = 20 * 60_000;
const REVOKE = { onDelete: 'Revoke' };

/** A certificate `<issuer>-web` of an issuer; those of all issuers have one name. */
function wanted(world: World, issuer: 'a' | 'b', spec: Partial<Record<keyof CertificateSpec, unknown>> = {}) {
  return world.certificate(`${issuer}-web`, {
    issuerRef: { name: issuer },
    dnsNames: ['www.example.com'],
    ...spec,
  });
}

/** The certificates that a CA has issued. */
function bought(ca: DevServer): CertificateView[] {
  return ca.certificates().filter(({ cn }) => cn === 'www.example.com');
}

/** The certificate in the Secret of a resource. */
async function served(world: World, name: string): Promise<string> {
  return filesOf(await world.get(secrets, `${name}-tls`)).crt;
}

async function reasons(world: World): Promise<string[]> {
  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  return items.map(({ reason }) => reason);
}

describe('at two endpoints that give the same ids', () => {
  test('a lost answer at each is found there, and nothing is bought twice', async () => {
    const { world, a, b, operator } = await twins(stage);
    for (const ca of [a, b]) ca.addFault({ call: 'cert/new', kind: 'reset-after' });
    await wanted(world, 'a');
    await wanted(world, 'b');
    await operator();
    await world.pass(QUIET_MS);

    for (const [issuer, ca] of [
      ['a', a],
      ['b', b],
    ] as const) {
      const { status } = await world.ready(`${issuer}-web`);
      const [only, ...others] = bought(ca);
      expect(others).toEqual([]);
      expect(status?.certificateId).toBe(only?.id);
      expect(await served(world, `${issuer}-web`)).toBe(ca.certificatePem(only?.id ?? 0));
    }
    expect(bought(a)[0]?.id).toBe(bought(b)[0]?.id);
  });

  test('a certificate is revoked with its resource, whoever has the same id elsewhere', async () => {
    const { world, a, b, operator } = await twins(stage);
    await operator();
    await wanted(world, 'a', { revocation: REVOKE });
    await wanted(world, 'b', { revocation: REVOKE });
    await world.ready('a-web');
    await world.ready('b-web');

    await world.delete(certificates, 'a-web');
    await world.settled();

    expect([bought(a)[0]?.status, bought(b)[0]?.status]).toEqual(['revoked', 'good']);
    expect(await reasons(world)).not.toContain('ClaimedByAnother');
  });

  test('what one list reports stays until it is recorded, and is reported of no certificate of the other', async () => {
    const { world, a, b, operator } = await twins(stage);
    const first = await operator();
    await wanted(world, 'a');
    await wanted(world, 'b');
    await world.ready('a-web');
    await world.ready('b-web');
    await first.stop();
    a.setStatusByHand(bought(a)[0]?.id ?? 0, 'hold');
    b.setStatusByHand(bought(b)[0]?.id ?? 0, 'revoked');

    await operator();
    await world.pass(CHECK_MS);

    const statusOf = async (name: string) => (await world.get(certificates, name)).status?.certificateStatus;
    expect([await statusOf('a-web'), await statusOf('b-web')]).toEqual(['hold', 'revoked']);
  });

  test('a Secret whose annotations name a certificate of one is never taken for the other’s', async () => {
    const { world, a, b, operator } = await twins(stage);
    const first = await operator();
    await wanted(world, 'a');
    await world.ready('a-web');
    await first.stop();
    await b.issueByHand({ cn: 'www.example.com', names: [{ type: 'DNS', value: 'www.example.com' }] });
    await world.delete(certificates, 'a-web');
    await world.certificate('a-web', { issuerRef: { name: 'b' }, dnsNames: ['www.example.com'] });

    await operator();
    await world.ready('a-web');

    const [foreign, own, ...others] = bought(b);
    expect([foreign?.id, others]).toEqual([bought(a)[0]?.id, []]);
    expect(await served(world, 'a-web')).toBe(b.certificatePem(own?.id ?? 0));
  });
});
