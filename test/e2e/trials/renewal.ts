import type { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditEvents } from '../world/audit.ts';
import { another, createTeam, type Team } from '../world/certificates.ts';
import { installByHelm } from '../world/installation.ts';
import { startLoad, type LoadResult } from '../world/load.ts';
import type { Target } from '../world/tls.ts';
import { ensureTraefik, serve, targetOf, untilServed } from '../world/traefik.ts';
import { expect, type Trial } from './trial.ts';

const HOST = 'renewed.example.test';
const RATE = 20;
/** A third of it is left at the renewal. */
const LIFETIME_SECONDS = 90;
/** How long a new certificate may take from the Secret to the clients. */
const SERVED_WITHIN_SECONDS = 90;
/** The load goes on for this long, so that it would meet what the change has broken. */
const AFTERWARDS_MS = 5000;

export const renewalTrial: Trial = {
  name: 'renewal',
  about: `a certificate is renewed under ${RATE} handshakes a second: none fails, and the new one is served`,
  async run(world) {
    await installByHelm(world);
    await ensureTraefik(world);
    const team = await createTeam(world, 'e2e-renewal');
    await serve(world, team.namespace, HOST, 'web-tls');
    await world.ca.setOptions({ validity: `${LIFETIME_SECONDS}s` });
    await team.request('web', { dnsNames: [HOST] });
    await team.ready('web');
    const first = await team.published('web');
    expect(first !== undefined, 'There is no certificate in the Secret.');
    // The renewed one lives long, so that there is one renewal.
    await world.ca.setOptions({ validity: '365d' });
    const target = targetOf(world, HOST);
    await untilServed(target, first.serialNumber);

    world.say(`Handshakes begin; the renewal is due in ${Math.round((LIFETIME_SECONDS * 2) / 3)} s.`);
    const load = startLoad(target, RATE);
    let renewed: Renewed;
    let result: LoadResult;
    try {
      renewed = await renewal(team, target, first);
    } finally {
      result = await load.stop();
    }
    const { second, renewedAt } = renewed;
    const { handshakes, failures, perSecond, serials } = result;
    expect(
      failures.length === 0,
      `${failures.length} of ${handshakes} handshakes failed: ${failures.slice(0, 3).join(' ')}`,
    );
    expect(
      serials.join() === [first, second].map(({ serialNumber }) => serialNumber).join(),
      `The serial numbers that clients saw are ${serials.join(', ')}.`,
    );
    expect(perSecond >= RATE * 0.95, `Only ${perSecond.toFixed(1)} handshakes a second were begun.`);
    const deletes = auditEvents(await world.cluster.auditLog()).filter(
      ({ verb, resource, namespace }) =>
        verb.startsWith('delete') && resource === 'secrets' && namespace === team.namespace,
    );
    expect(deletes.length === 0, `The Secret was deleted by ${deletes.map(({ user }) => user).join(', ')}.`);
    const delay = (load.firstWith(second.serialNumber) ?? renewedAt) - renewedAt;
    return {
      handshakes,
      failed: failures.length,
      'handshakes a second': Number(perSecond.toFixed(1)),
      // The Secret is looked at a few times a second, so a client may see the certificate before that.
      'ms from Secret to client': Math.max(0, delay),
    };
  },
};

interface Renewed {
  second: X509Certificate;
  /** When it was seen in the Secret, in ms since the epoch. */
  renewedAt: number;
}

/** Waits until the certificate is renewed and served, and a little longer. */
async function renewal(team: Team, target: Target, first: X509Certificate): Promise<Renewed> {
  const second = await another(team, 'web', first.serialNumber, LIFETIME_SECONDS);
  const renewedAt = Date.now();
  await untilServed(target, second.serialNumber, SERVED_WITHIN_SECONDS);
  await sleep(AFTERWARDS_MS);
  return { second, renewedAt };
}
