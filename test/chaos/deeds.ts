/** What people, tenants, the CA and the cluster do while operators are killed and restarted. */
import { setTimeout as pause } from 'node:timers/promises';
import { SECRET_ANNOTATIONS } from '../../src/api/names.ts';
import { CaRefused } from './ca.ts';
import { certificatePath, secretPath, setCrd } from './cluster.ts';
import type { Stored } from './etcd.ts';
import { type Entry, journalsIn } from './journal.ts';
import { CERTIFICATES, pathOf } from './kube.ts';
import type { Deed } from './plan.ts';
import type { Wanted } from './population.ts';
import { TAMPERED } from './names.ts';
import { allowOneMore, beside, count, forget, type RunState } from './run-state.ts';

/** Long enough for something to happen meanwhile. */
const WHILE_MS = 1_500;

/** Does one deed; `whom`, from 0 to 1, picks one of the resources that it can affect. */
export async function perform(state: RunState, deed: Deed, whom: number): Promise<void> {
  count(state.done, deed.do);
  const { ca, cluster } = state;
  switch (deed.do) {
    case 'touch':
      return touch(state, someone(state, whom));
    case 'respec':
      return respec(state, someone(state, whom));
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
      return byHand(state, someone(state, whom, hasCertificate), (id) => ca.reissueByHand(id));
    case 'revoke-by-hand':
      return revokeByHand(state, someone(state, whom, hasCertificate));
    case 'hold-by-hand':
      return holdByHand(state, someone(state, whom, hasCertificate));
    case 'desire':
      return desire(state, someone(state, whom, hasCertificate), deed.status);
    case 'fault':
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
      await ca.setOptions({ validity: '5m' });
      await respec(state, someone(state, whom));
      await pause(WHILE_MS);
      await ca.setOptions({ validity: '2h' });
      return;
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

function touch(state: RunState, wanted: Wanted): Promise<void> {
  return write(state, wanted, { metadata: { annotations: { 'chaos.test/touched': String(state.turn()) } } });
}

interface SecretPatch {
  data?: Record<string, string>;
  metadata?: { labels?: Record<string, string | null>; annotations?: Record<string, string> };
}

async function tamperSecret({ cluster, turn }: RunState, wanted: Wanted, patch: SecretPatch): Promise<void> {
  const annotations = { ...patch.metadata?.annotations, [TAMPERED]: String(turn()) };
  const metadata = { ...patch.metadata, annotations };
  await cluster.kube.must('PATCH', secretPath(wanted), { ...patch, metadata }, [404, 409]);
}

/**
 * Forges status or the Secret's annotations, so an operator that believes them would fetch a neighbour's key; or puts back an
 * earlier status, seal included, or claims that an attempt is concluded, so it would buy again or adopt what others have.
 */
async function forge(
  state: RunState,
  what: Extract<Deed, { do: 'forge' }>['what'],
  whom: number,
): Promise<void> {
  const wanted = someone(state, whom, targetOf(state, what));
  const victim = someone(state, 1 - whom, (other) => other !== wanted && hasCertificate(other, state));
  const theirs = statusOf(state, victim);
  const own = statusOf(state, wanted);
  const { account, authorityId, certificateId } = theirs;
  switch (what) {
    case 'annotation':
      return tamperSecret(state, wanted, {
        metadata: {
          annotations: {
            [SECRET_ANNOTATIONS.account]: String(account),
            [SECRET_ANNOTATIONS.authorityId]: String(authorityId),
            [SECRET_ANNOTATIONS.certificateId]: String(certificateId),
          },
        },
      });
    case 'id':
      return forgeStatus(state, wanted, { account, authorityId, certificateId });
    case 'id-with-seal':
      return forgeStatus(state, wanted, { ...theirs, conditions: own['conditions'] });
    case 'attempt-id':
      // A tenant cannot read the journal, so this is more than one can do.
      return forgeStatus(state, wanted, { attemptId: attemptOf(state, wanted)?.id ?? crypto.randomUUID() });
    case 'replay': {
      const earlier = earlierOf(state, wanted);
      const status = earlier[Math.floor(whom * earlier.length)];
      const left = Object.fromEntries(Object.keys(own).map((field) => [field, null]));
      return status && forgeStatus(state, wanted, { ...left, ...status });
    }
    default:
      return what satisfies never;
  }
}

/** Which resources a forgery is worth trying on: with an open attempt, if there are any. */
function targetOf(
  state: RunState,
  what: Extract<Deed, { do: 'forge' }>['what'],
): (wanted: Wanted) => boolean {
  if (what === 'attempt-id') return (wanted) => attemptOf(state, wanted) !== undefined;
  if (what !== 'replay') return (wanted) => hasCertificate(wanted, state);
  const isRepeatable = (wanted: Wanted): boolean => earlierOf(state, wanted).length > 0;
  const isBest = (wanted: Wanted): boolean => isRepeatable(wanted) && attemptOf(state, wanted) !== undefined;
  const isThere = state.population.of('main').some((wanted) => !wanted.gone && isBest(wanted));
  return isThere ? isBest : isRepeatable;
}

function earlierOf({ history }: RunState, { namespace, name }: Wanted): readonly object[] {
  return history.earlier(`${namespace}/${name}`);
}

async function forgeStatus(state: RunState, wanted: Wanted, status: object): Promise<void> {
  forget(state, wanted);
  await state.cluster.kube.must('PATCH', `${certificatePath(wanted)}/status`, { status }, [404, 409, 422]);
}

/** A person buys a certificate with the same names at the web page. */
async function twin({ ca, population, authorities }: RunState, wanted: Wanted): Promise<void> {
  const { commonName, names, issuer } = population.twinOf(wanted);
  await ca.issueByHand({
    cn: commonName,
    caId: authorities[issuer],
    names: names.map((value) => ({ type: 'DNS', value })),
  });
}

async function byHand(state: RunState, wanted: Wanted, act: (id: number) => Promise<unknown>): Promise<void> {
  try {
    await act(Number(statusOf(state, wanted)['certificateId']));
  } catch (error) {
    if (!(error instanceof CaRefused)) throw error;
  }
}

async function revokeByHand(state: RunState, wanted: Wanted): Promise<void> {
  const { revocation } = wanted.more as { revocation?: object };
  wanted.more['revocation'] = { ...revocation, onExternalRevocation: 'Replace' };
  const spec = { revocation: { onExternalRevocation: 'Replace' } };
  await write(state, wanted, { spec });
  allowOneMore(state, wanted);
  await byHand(state, wanted, (id) => state.ca.setStatusByHand(id, 'revoked'));
}

async function holdByHand(state: RunState, wanted: Wanted): Promise<void> {
  const id = Number(statusOf(state, wanted)['certificateId']);
  await byHand(state, wanted, () => state.ca.setStatusByHand(id, 'hold'));
  await pause(WHILE_MS);
  await byHand(state, wanted, () => state.ca.setStatusByHand(id, 'good'));
}

function desire(state: RunState, wanted: Wanted, desiredStatus: string): Promise<void> {
  // A revoked certificate that becomes good again costs another one.
  if (wanted.more['desiredStatus'] === 'Revoked' && desiredStatus === 'Good') allowOneMore(state, wanted);
  wanted.more['desiredStatus'] = desiredStatus;
  return write(state, wanted, { spec: { desiredStatus } });
}

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

/** The open attempt of its resource, by the journal. */
export function attemptOf({ cluster }: RunState, wanted: Wanted): Entry | undefined {
  const uid = cluster.etcd.get(certificateKey(wanted))?.metadata.uid;
  return journalsIn(cluster.etcd).entries.find((entry) => entry.uid === uid);
}
