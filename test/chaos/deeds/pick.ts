/** Which resources a deed can affect, and what is known of them. */
import type { Ca } from '../ca.ts';
import type { Stored } from '../etcd.ts';
import { ISSUERS } from '../issuers.ts';
import type { Wanted } from '../population.ts';
import type { RunState } from '../run-state.ts';
import { type Entry, journalsIn } from '../witness/journal.ts';

/** One of the main installation's resources that exist and fit. */
export function someone(
  state: RunState,
  share: number,
  fits: (wanted: Wanted, state: RunState) => boolean = () => true,
): Wanted {
  const there = state.population.of('main').filter(({ gone }) => !gone);
  const fitting = there.filter((wanted) => fits(wanted, state));
  const among = fitting.length > 0 ? fitting : there.length > 0 ? there : state.population.of('main');
  const found = among[Math.min(among.length - 1, Math.floor(share * among.length))];
  if (!found) throw new Error('There is no such resource.');
  return found;
}

export function certificateKey({ namespace, name }: Pick<Wanted, 'namespace' | 'name'>): string {
  return `/registry/tinycert-operator.io/tinycertcertificates/${namespace}/${name}`;
}

export function statusOf({ cluster }: RunState, wanted: Wanted): NonNullable<Stored['status']> {
  return cluster.etcd.get(certificateKey(wanted))?.status ?? {};
}

export function hasCertificate(wanted: Wanted, state: RunState): boolean {
  return statusOf(state, wanted)['certificateId'] !== undefined;
}

/** The open attempt of its resource at the account of its issuer, by the journal. */
export function attemptOf(state: RunState, wanted: Wanted): Entry | undefined {
  const { etcd } = state.cluster;
  const uid = etcd.get(certificateKey(wanted))?.metadata.uid;
  const { account } = caOf(state, wanted);
  return journalsIn(etcd).entries.find((entry) => entry.uid === uid && entry.account === account);
}

/** The CA of its issuer. */
export function caOf({ cas }: RunState, { issuer }: Pick<Wanted, 'issuer'>): Ca {
  return cas[ISSUERS[issuer].ca];
}

/** The CA at which the certificate in its status is, and the number of that there. */
export function certificateOf(state: RunState, wanted: Wanted): { ca: Ca; id: number } | undefined {
  const { account, certificateId } = statusOf(state, wanted);
  const ca = Object.values(state.cas).find((each) => each.account === account);
  return ca && certificateId !== undefined ? { ca, id: Number(certificateId) } : undefined;
}
