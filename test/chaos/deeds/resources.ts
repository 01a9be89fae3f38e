/** What people do with resources. */
import { setTimeout as pause } from 'node:timers/promises';
import { certificatePath, secretPath } from '../cluster.ts';
import type { IssuerName } from '../issuers.ts';
import { CERTIFICATES, pathOf } from '../kube.ts';
import type { Wanted } from '../population.ts';
import { allowOneMore, beside, forget, type RunState, WHILE_MS } from '../run-state.ts';
import { certificateKey } from './pick.ts';

/** Creates the resource of a wish. Deeds can affect it from then on. */
export async function create({ cluster, population }: RunState, wanted: Wanted): Promise<void> {
  const { namespace, name } = wanted;
  await cluster.kube.must('POST', pathOf(CERTIFICATES, namespace, 'tinycertcertificates'), {
    apiVersion: 'tinycert-operator.io/v1alpha1',
    kind: 'TinyCertCertificate',
    metadata: { name },
    spec: population.specOf(wanted),
  });
  // Wait until the witness has seen it: otherwise a deletion would seem to have ended before it began.
  while (cluster.etcd.get(certificateKey(wanted)) === undefined) await pause(20);
  wanted.gone = false;
}

/** Somebody writes to a resource: under older CRDs its status loses the fields that they lack. */
export async function write(
  state: RunState,
  wanted: Wanted,
  patch: object,
  method: 'PATCH' | 'DELETE' = 'PATCH',
): Promise<void> {
  if (state.isOutdated) forget(state, wanted);
  await state.cluster.kube.must(
    method,
    certificatePath(wanted),
    method === 'PATCH' ? patch : undefined,
    [404],
  );
}

/** Changes the names in the spec. */
export async function respec(state: RunState, wanted: Wanted): Promise<void> {
  if (state.isOutdated) forget(state, wanted);
  state.population.change(wanted);
  await write(state, wanted, { spec: { dnsNames: wanted.tag.names } });
}

/** Lets the resource refer to another issuer, for the same names. */
export async function switchIssuer(state: RunState, wanted: Wanted, issuer: IssuerName): Promise<void> {
  if (state.isOutdated) forget(state, wanted);
  state.population.switch(wanted, issuer);
  await write(state, wanted, { spec: { issuerRef: { name: issuer }, dnsNames: wanted.tag.names } });
}

/** Deletes the resource, and creates it again afterwards. */
export async function recreate(state: RunState, wanted: Wanted): Promise<void> {
  const { cluster, population } = state;
  if (wanted.gone) return;
  wanted.gone = true;
  await write(state, wanted, {}, 'DELETE');
  beside(state, again());

  async function again(): Promise<void> {
    const key = certificateKey(wanted);
    while (cluster.etcd.get(key) !== undefined) {
      if (state.over.signal.aborted) return;
      await pause(50);
    }
    delete wanted.more['desiredStatus'];
    population.retag(wanted);
    await create(state, wanted);
  }
}

/** Makes it due for renewal now, by the share of its lifetime after which it is renewed. */
export async function renew(state: RunState, wanted: Wanted): Promise<void> {
  await write(state, wanted, { spec: { renewBeforePercentage: 99 } });
  beside(state, undo());

  async function undo(): Promise<void> {
    await pause(WHILE_MS);
    await write(state, wanted, { spec: { renewBeforePercentage: null } });
  }
}

export async function dropSecret({ cluster }: RunState, wanted: Wanted): Promise<void> {
  await cluster.kube.must('DELETE', secretPath(wanted), undefined, [404]);
}

export function touch(state: RunState, wanted: Wanted): Promise<void> {
  return write(state, wanted, { metadata: { annotations: { 'chaos.test/touched': String(state.turn()) } } });
}

/** Wishes for a status at the CA. */
export function desire(state: RunState, wanted: Wanted, desiredStatus: string): Promise<void> {
  // A revoked certificate that becomes good again costs another one.
  if (wanted.more['desiredStatus'] === 'Revoked' && desiredStatus === 'Good') allowOneMore(state, wanted);
  wanted.more['desiredStatus'] = desiredStatus;
  return write(state, wanted, { spec: { desiredStatus } });
}
