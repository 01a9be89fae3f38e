/** What happens to accounts and issuers. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Ca } from '../ca.ts';
import { createIssuer, type IssuerPlace, issuerPath } from '../cluster.ts';
import { credentialsOf, ISSUERS_OF } from '../issuers.ts';
import { CORE, pathOf } from '../kube.ts';
import { MAIN, OTHER } from '../population.ts';
import { beside, type RunState, WHILE_MS } from '../run-state.ts';

/**
 * The account gets another API key, at the CA and in one namespace after the other; `first` says where it is replaced first. Until all
 * have it, some issuers have a key that the CA refuses.
 */
export async function rotateKey(state: RunState, ca: Ca, first: 'ca' | 'secrets'): Promise<void> {
  const apiKey = `key-${state.turn()}-of-${ca.name}`;
  const atCa = async (): Promise<void> => {
    await ca.setOptions({ apiKey });
    ca.ready.apiKey = apiKey;
  };
  if (first === 'ca') await atCa();
  for (const namespace of [...MAIN, ...OTHER]) {
    const path = pathOf(CORE, namespace, 'secrets', credentialsOf(ca.name));
    await state.cluster.kube.must('PATCH', path, { stringData: { apiKey } });
    await pause(WHILE_MS / 5);
  }
  if (first === 'secrets') await atCa();
}

/**
 * Somebody deletes an issuer. It waits for a while, if certificates need it for a revocation, and then goes all the same; and some time
 * later somebody makes it again, as another object.
 */
export async function remakeIssuer(state: RunState, whom: number): Promise<void> {
  const all = MAIN.flatMap((namespace) => ISSUERS_OF.main.map((name) => ({ namespace, name })));
  const issuer = all[Math.floor(whom * all.length)];
  if (!issuer) return;
  const path = issuerPath(issuer);
  const { kube } = state.cluster;
  const { body } = await kube.must('GET', path, undefined, [404]);
  const { metadata } = body as { metadata?: { deletionTimestamp?: string } };
  // Another deed is remaking it.
  if (metadata === undefined || metadata.deletionTimestamp !== undefined) return;
  const share = (whom * 1e4) % 1;
  beside(state, remake(issuer));

  async function remake(place: IssuerPlace): Promise<void> {
    await kube.must('DELETE', path, undefined, [404]);
    await pause(share * 2 * WHILE_MS);
    await kube.must('PATCH', path, { metadata: { finalizers: [] } }, [404]);
    while ((await kube.send('GET', path)).status !== 404) await pause(50);
    await pause((1 - share) * 3 * WHILE_MS);
    await createIssuer(kube, state.cas, place);
  }
}
