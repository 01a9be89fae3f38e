import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { rfc3339 } from '../status/conditions.ts';
import type { Abandoned, Released } from './remember.ts';
import { quietAfter, type Timing } from '../attempt/timing.ts';

type Owner = Pick<KubeObject['metadata'], 'namespace' | 'name'>;

/** What is remembered of certificates that a resource gave up `at` a time, in milliseconds since the epoch. */
export function released(
  owner: Owner,
  ids: readonly number[],
  at: number,
  cause?: NonNullable<Released['cause']>,
): Released[] {
  return ids.map((certificateId) => ({
    certificateId,
    ...ownerOf(owner),
    releaseTime: rfc3339(at),
    ...(cause === undefined ? {} : { cause }),
  }));
}

/** What is remembered of an attempt of which nobody will find out any more what it bought (rule 8). */
export function abandoned(
  { uid = '', ...owner }: Owner & Pick<KubeObject['metadata'], 'uid'>,
  { id, requestHash, commonName, operation, previousId, afterId, since, until, startTime }: Attempt,
  timing: Timing,
): Abandoned {
  return {
    attemptId: id,
    uid,
    ...ownerOf(owner),
    requestHash,
    commonName,
    afterId: operation === 'Reissue' ? (previousId ?? afterId) : afterId,
    since,
    until: until ?? new Date(Date.parse(startTime) + quietAfter(timing)).toISOString(),
  };
}

function ownerOf({ namespace, name }: Owner): { namespace?: string; name: string } {
  return { ...(namespace === undefined ? {} : { namespace }), name };
}
