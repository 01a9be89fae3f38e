import { createTeam } from '../world/certificates.ts';
import { installByHelm } from '../world/installation.ts';
import { get, handshake } from '../world/tls.ts';
import { ensureTraefik, serve, targetOf, untilServed } from '../world/traefik.ts';
import { GREETING } from '../world/world.ts';
import { expect, type Trial } from './trial.ts';

const HOST = 'shop.example.test';
const OTHER = 'other.example.test';

export const ingressTrial: Trial = {
  name: 'ingress',
  about:
    'an Ingress that names our Secret is served by Traefik: verified handshake, right names, the page behind it',
  async run(world) {
    await installByHelm(world);
    await ensureTraefik(world);
    const team = await createTeam(world, 'e2e-ingress');
    // The Ingress comes first, as a user's manifests do: Traefik has to notice the Secret later.
    await serve(world, team.namespace, HOST, 'web-tls');
    const askedAt = performance.now();
    await team.request('web', { dnsNames: [HOST, `www.${HOST}`] });
    await team.ready('web');
    const readyAt = performance.now();
    const published = await team.published('web');
    expect(published !== undefined, 'There is no certificate in the Secret.');
    const target = targetOf(world, HOST);
    await untilServed(target, published.serialNumber);
    const servedAt = performance.now();
    const served = await handshake(target);
    expect(
      served.subjectAltName === `DNS:${HOST}, DNS:www.${HOST}`,
      `The names of the certificate are ${served.subjectAltName}.`,
    );
    const { status, body } = await get(target);
    expect(status === 200 && body === GREETING, `The page is ${status} ${body}`);
    const refused = await handshake(targetOf(world, OTHER)).then(
      () => 'accepted',
      () => 'refused',
    );
    expect(refused === 'refused', `${OTHER} is served with a certificate that clients trust.`);
    return { 'ms to ready': Math.round(readyAt - askedAt), 'ms to served': Math.round(servedAt - readyAt) };
  },
};
