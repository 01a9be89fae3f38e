/** What people do at the web pages of the CAs. */
import { setTimeout as pause } from 'node:timers/promises';
import { CaRefused } from '../control-url.ts';
import type { Wanted } from '../population.ts';
import { allowOneMore, type RunState, WHILE_MS } from '../run-state.ts';
import { caOf, certificateOf } from './pick.ts';
import { write } from './resources.ts';

/** A person buys a certificate with the same names at the web page. */
export async function twin(state: RunState, wanted: Wanted): Promise<void> {
  const { population, authorities } = state;
  const { commonName, names, issuer } = population.twinOf(wanted);
  await caOf(state, wanted).issueByHand({
    cn: commonName,
    caId: authorities[issuer],
    names: names.map((value) => ({ type: 'DNS', value })),
  });
}

async function byHand(act: () => Promise<unknown> | undefined): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof CaRefused)) throw error;
  }
}

/** A person revokes the certificate of a resource that asks for another one then. */
export async function revokeByHand(state: RunState, wanted: Wanted): Promise<void> {
  const { revocation } = wanted.more as { revocation?: object };
  wanted.more['revocation'] = { ...revocation, onExternalRevocation: 'Replace' };
  const spec = { revocation: { onExternalRevocation: 'Replace' } };
  await write(state, wanted, { spec });
  allowOneMore(state, wanted);
  const found = certificateOf(state, wanted);
  await byHand(() => found?.ca.setStatusByHand(found.id, 'revoked'));
}

/** A person reissues the certificate of a resource. */
export async function reissueByHand(state: RunState, wanted: Wanted): Promise<void> {
  const found = certificateOf(state, wanted);
  await byHand(() => found?.ca.reissueByHand(found.id));
}

/** A person puts the certificate of a resource on hold for a while. */
export async function holdByHand(state: RunState, wanted: Wanted): Promise<void> {
  const found = certificateOf(state, wanted);
  await byHand(() => found?.ca.setStatusByHand(found.id, 'hold'));
  await pause(WHILE_MS);
  await byHand(() => found?.ca.setStatusByHand(found.id, 'good'));
}
