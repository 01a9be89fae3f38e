/** What people, tenants, the CAs and the cluster do while operators are killed and restarted. */
import { setTimeout as pause } from 'node:timers/promises';
import { performMail } from '../cacert/deeds.ts';
import { setCrd } from '../cluster.ts';
import { ISSUERS_OF, type IssuerName } from '../issuers.ts';
import type { Deed } from '../plan.ts';
import type { Wanted } from '../population.ts';
import { count, type RunState, WHILE_MS } from '../run-state.ts';
import { remakeIssuer, rotateKey } from './accounts.ts';
import { holdByHand, reissueByHand, revokeByHand, twin } from './by-hand.ts';
import { forge, tamperSecret } from './forge.ts';
import { caOf, hasCertificate, someone } from './pick.ts';
import { heapDuties, hasDuties } from './duties.ts';
import { desire, dropSecret, recreate, renew, respec, switchIssuer, touch } from './resources.ts';

/** Does one deed; `whom`, from 0 to 1, picks one of the resources that it can affect. */
export async function perform(state: RunState, deed: Deed, whom: number): Promise<void> {
  count(state.done, deed.do);
  const { cluster } = state;
  const ca = 'at' in deed ? state.cas[deed.at] : state.cas.near;
  switch (deed.do) {
    case 'touch':
      return touch(state, someone(state, whom));
    case 'respec':
      return respec(state, someone(state, whom));
    case 'switch':
      return switchIssuer(state, ...moved(state, whom));
    case 'rotate-key':
      return rotateKey(state, ca, deed.first);
    case 'remake-issuer':
      return remakeIssuer(state, whom);
    case 'recreate':
      return recreate(state, someone(state, whom));
    case 'renew':
      return renew(state, someone(state, whom, hasCertificate));
    case 'drop-secret':
      return dropSecret(
        state,
        someone(state, whom, (wanted) => wanted.forged === 0),
      );
    case 'damage-secret':
      return tamperSecret(state, someone(state, whom), { data: { 'tls.crt': 'bm90IGEgY2VydGlmaWNhdGU=' } });
    case 'unlabel-secret':
      return tamperSecret(state, someone(state, whom), {
        metadata: { labels: { 'tinycert-operator.io/managed': null } },
      });
    case 'forge':
      return forge(state, deed.what, whom);
    case 'twin':
      return twin(state, someone(state, whom));
    case 'reissue-by-hand':
      return reissueByHand(state, someone(state, whom, hasCertificate));
    case 'revoke-by-hand':
      return revokeByHand(state, someone(state, whom, hasCertificate));
    case 'hold-by-hand':
      return holdByHand(state, someone(state, whom, hasCertificate));
    case 'desire':
      return desire(state, someone(state, whom, hasCertificate), deed.status);
    case 'mail':
    case 'mail-fault':
      return performMail(state, deed, whom);
    case 'heap-duties':
      return heapDuties(state, someone(state, whom, hasDuties));
    case 'fault':
    case 'replay':
      await ca.addFault(deed.fault);
      return;
    case 'credentials':
      await ca.setOptions({ passphrase: 'not the right one' });
      await ca.expireSessions();
      await pause(WHILE_MS);
      await ca.setOptions({ passphrase: ca.ready.passphrase });
      return;
    case 'outage':
      await ca.setOptions({ listening: false });
      await pause(WHILE_MS);
      await ca.setOptions({ listening: true });
      return;
    case 'expire-sessions':
      await ca.expireSessions();
      return;
    case 'rate-limit':
      await ca.setOptions({ rateLimit: 1 });
      await pause(WHILE_MS);
      await ca.setOptions({ rateLimit: null });
      return;
    case 'short-lived':
      return shortLived(state, someone(state, whom));
    case 'api-server':
      return cluster.plane.restartApiServer({ signal: 'SIGKILL' });
    case 'etcd':
      return cluster.plane.restartEtcd({ signal: 'SIGKILL' });
    case 'compact':
      await cluster.etcd.compact();
      return cluster.plane.restartApiServer({ signal: 'SIGKILL' });
    case 'older-crds':
      state.isOutdated = true;
      await setCrd(cluster.kube, 'older');
      await pause(2 * WHILE_MS);
      await setCrd(cluster.kube, 'released');
      // The API server applies the new ones only a moment later.
      await pause(WHILE_MS);
      state.isOutdated = false;
      return;
    case 'kill-other':
      state.killOther();
      return;
    default:
      return deed satisfies never;
  }
}

/** A resource, and another issuer for it: mostly one of another account. */
function moved(state: RunState, whom: number): [Wanted, IssuerName] {
  const wanted = someone(state, whom);
  const others = ISSUERS_OF.main.filter((issuer) => issuer !== wanted.issuer);
  // Digits of the draw that the choice of the resource hardly depends on.
  const issuer = others[Math.floor(whom * 1e6) % others.length] ?? wanted.issuer;
  return [wanted, issuer];
}

async function shortLived(state: RunState, wanted: Wanted): Promise<void> {
  const ca = caOf(state, wanted);
  await ca.setOptions({ validity: '5m' });
  await respec(state, wanted);
  await pause(WHILE_MS);
  await ca.setOptions({ validity: '2h' });
}
