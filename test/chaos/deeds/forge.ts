/** What a tenant can forge. */
import { SECRET_ANNOTATIONS } from '../../../src/api/names.ts';
import { certificatePath, secretPath } from '../cluster.ts';
import { TAMPERED } from '../names.ts';
import type { Deed } from '../plan.ts';
import type { Wanted } from '../population.ts';
import { forget, type RunState } from '../run-state.ts';
import { attemptOf, hasCertificate, someone, statusOf } from './pick.ts';

interface SecretPatch {
  data?: Record<string, string>;
  metadata?: { labels?: Record<string, string | null>; annotations?: Record<string, string> };
}

/** Somebody else changes the Secret of a resource. */
export async function tamperSecret(
  { cluster, turn }: RunState,
  wanted: Wanted,
  patch: SecretPatch,
): Promise<void> {
  const annotations = { ...patch.metadata?.annotations, [TAMPERED]: String(turn()) };
  const metadata = { ...patch.metadata, annotations };
  await cluster.kube.must('PATCH', secretPath(wanted), { ...patch, metadata }, [404, 409]);
}

/**
 * Forges status or the Secret's annotations, so an operator that believes them would fetch a neighbour's key; or puts back an
 * earlier status, seal included, or claims that an attempt is concluded, so it would buy again or adopt what others have.
 */
export async function forge(
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
