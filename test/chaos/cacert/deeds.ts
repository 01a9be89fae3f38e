/** What people do with CAcert certificates, and CAcert with their requests. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Condition } from '../witness/holdings.ts';
import { CERTIFICATES, CORE, pathOf } from '../kube.ts';
import { beside, type RunState, WHILE_MS } from '../run-state.ts';
import { TAMPERED } from '../names.ts';
import { memberOf } from './members.ts';
import type { MailDeed } from './plan.ts';
import type { MailWanted } from './population.ts';

const PLURAL = 'cacertcertificates';

/** Requests after which a resource is near the limit of its day. */
const MANY = 4;

/** The login, the account and their namespaces' part of the cluster. */
export async function furnishMail(state: RunState, namespaces: readonly string[]): Promise<void> {
  const { kube } = state.cluster;
  const { endpoint, caPem } = state.cacert.ready;
  for (const namespace of namespaces) {
    const { username, password } = memberOf(namespace);
    await kube.must('POST', pathOf(CORE, namespace, 'secrets'), {
      metadata: { name: 'member' },
      stringData: { username, password },
    });
    await kube.must('POST', pathOf(CERTIFICATES, namespace, 'cacertaccounts'), {
      apiVersion: 'tinycert-operator.io/v1alpha1',
      kind: 'CAcertAccount',
      metadata: { name: 'member' },
      spec: { endpoint, caBundle: caPem, credentialsSecretRef: { name: 'member' } },
    });
  }
}

/** Does one deed; `whom`, from 0 to 1, picks the resource. */
export async function performMail(state: RunState, deed: MailDeed, whom: number): Promise<void> {
  if (deed.do === 'mail-fault') {
    await state.cacert.addFault(deed.fault);
    return;
  }
  const there = state.mails.all.filter(({ gone }) => !gone);
  const wanted = there[Math.floor(whom * there.length)];
  if (!wanted) return;
  switch (isUsedUp(state, wanted) ? 'replace' : deed.what) {
    case 'respec':
      return respecMail(state, wanted, whom);
    case 'renew':
      return renewMail(state, wanted);
    case 'recreate':
      return recreateMail(state, wanted);
    case 'replace':
      return recreateMail(state, wanted, whom);
    case 'drop-secret':
      state.mailHistory.allow(placeOf(wanted));
      await state.cluster.kube.must('DELETE', secretPathOf(wanted), undefined, [404]);
      return;
    case 'damage-secret':
      return damage(state, wanted);
    default:
      return;
  }
}

export async function createMail(state: RunState, wanted: MailWanted): Promise<void> {
  const { namespace, name } = wanted;
  await state.cluster.kube.must('POST', pathOf(CERTIFICATES, namespace, PLURAL), {
    apiVersion: 'tinycert-operator.io/v1alpha1',
    kind: 'CAcertCertificate',
    metadata: { name },
    spec: state.mails.specOf(wanted),
  });
  while (state.cluster.etcd.get(mailKey(wanted)) === undefined) await pause(20);
  wanted.gone = false;
}

/** Changes what is wanted. */
export async function respecMail(state: RunState, wanted: MailWanted, draw: number): Promise<void> {
  state.mails.change(wanted, draw);
  const { emails, commonName = null } = wanted.wish;
  await patch(state, wanted, { spec: { emailAddresses: emails, commonName } });
}

async function renewMail(state: RunState, wanted: MailWanted): Promise<void> {
  state.mailHistory.allow(placeOf(wanted));
  await patch(state, wanted, { spec: { renewBeforePercentage: 99 } });
  beside(state, undo());

  async function undo(): Promise<void> {
    await pause(WHILE_MS);
    await patch(state, wanted, { spec: { renewBeforePercentage: null } });
  }
}

/** Has a certificate requested: of a resource that has one and is at rest, if there is any. */
export async function wishForMail(state: RunState, whom: number): Promise<void> {
  const there = state.mails.all.filter((wanted) => !wanted.gone && !isUsedUp(state, wanted));
  const idle = there.filter((wanted) => isAtRest(state, wanted));
  const among = idle.length > 0 ? idle : there.length > 0 ? there : state.mails.all;
  const wanted = among[Math.floor(whom * among.length)];
  if (!wanted) return;
  if (isUsedUp(state, wanted)) await recreateMail(state, wanted, whom);
  else await respecMail(state, wanted, whom);
}

/** Deletes the resource, and creates it again afterwards: for the same, or for something else that `draw` picks. */
export async function recreateMail(state: RunState, wanted: MailWanted, draw?: number): Promise<void> {
  if (wanted.gone) return;
  wanted.gone = true;
  await state.cluster.kube.must('DELETE', pathTo(wanted), undefined, [404]);
  beside(state, again());

  async function again(): Promise<void> {
    while (state.cluster.etcd.get(mailKey(wanted)) !== undefined) {
      if (state.over.signal.aborted) return;
      await pause(50);
    }
    if (draw === undefined) state.mails.renew(wanted);
    else state.mails.change(wanted, draw);
    await createMail(state, wanted);
  }
}

async function damage(state: RunState, wanted: MailWanted): Promise<void> {
  state.mailHistory.allow(placeOf(wanted));
  const annotations = { [TAMPERED]: String(state.turn()) };
  const data = { 'tls.crt': Buffer.from('not a certificate').toString('base64') };
  await state.cluster.kube.must(
    'PATCH',
    secretPathOf(wanted),
    { metadata: { annotations }, data },
    [404, 409],
  );
}

/**
 * Does what a condition asks of a person: puts a certificate that CAcert signed late beside its key, wants something else if it signed
 * something else, and begins anew once a resource has used up its day.
 */
export async function helpMail(state: RunState): Promise<void> {
  for (const wanted of state.mails.all) {
    const { metadata, status } = state.cluster.etcd.get(mailKey(wanted)) ?? {};
    const { conditions = [], unserved } = (status ?? {}) as MailStatus;
    const issuing = conditions.find(({ type, status: is }) => type === 'Issuing' && is === 'False');
    if (!issuing || wanted.gone || issuing.observedGeneration !== metadata?.generation) continue;
    if (issuing.reason === 'IssuanceUncertain' && unserved) await paste(state, wanted, unserved);
    else if (issuing.reason === 'TooManyAttempts') await recreateMail(state, wanted);
    else if (unserved?.outcome === 'Mismatched') await respecMail(state, wanted, (state.turn() % 97) / 97);
  }
}

async function paste(
  state: RunState,
  { namespace }: MailWanted,
  { publicKeyHash, secretName }: Unserved,
): Promise<void> {
  const signed = (await state.cacert.certificates()).filter((one) => one.keyFingerprint === publicKeyHash);
  const latest = signed.at(-1);
  const path = pathOf(CORE, namespace, 'secrets', secretName);
  const beside = state.cluster.etcd.get(`/registry/secrets/${namespace}/${secretName}`)?.data?.['tls.crt'];
  if (!latest || (beside ?? '') !== '') return;
  const pem = await state.cacert.pemOf(latest.id);
  await state.cluster.kube.must(
    'PATCH',
    path,
    { data: { 'tls.crt': Buffer.from(pem).toString('base64') } },
    [404, 409],
  );
}

interface Unserved {
  outcome: string;
  secretName: string;
  publicKeyHash: string;
}

/** The fields of a status that the run reads. */
export interface MailStatus {
  conditions?: Condition[];
  serialNumber?: string;
  unserved?: Unserved;
  attemptTimes?: string[];
}

/** CAcert may be asked six times a day for one resource, and each deed makes a request. */
function isUsedUp({ cluster }: RunState, wanted: MailWanted): boolean {
  const status = cluster.etcd.get(mailKey(wanted))?.status as MailStatus | undefined;
  return (status?.attemptTimes ?? []).length >= MANY;
}

/** It has a certificate and no key that waits for one, so the next request begins with a key. */
function isAtRest({ cluster }: RunState, wanted: MailWanted): boolean {
  const { serialNumber, unserved } = (cluster.etcd.get(mailKey(wanted))?.status ?? {}) as MailStatus;
  return serialNumber !== undefined && unserved === undefined;
}

async function patch(state: RunState, wanted: MailWanted, change: object): Promise<void> {
  await state.cluster.kube.must('PATCH', pathTo(wanted), change, [404]);
}

export function placeOf({ namespace, name }: Pick<MailWanted, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

export function mailKey(wanted: Pick<MailWanted, 'namespace' | 'name'>): string {
  return `/registry/tinycert-operator.io/${PLURAL}/${placeOf(wanted)}`;
}

function pathTo({ namespace, name }: MailWanted): string {
  return pathOf(CERTIFICATES, namespace, PLURAL, name);
}

function secretPathOf({ namespace, name }: MailWanted): string {
  return pathOf(CORE, namespace, 'secrets', name);
}
