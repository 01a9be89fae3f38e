import type { Attempt } from '../api/certificate-status.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Abandoned } from './remember.ts';
import { quietAfter, type Timing } from './timing.ts';

/** What is remembered of an attempt of which nobody will find out any more what it bought (rule 8). */
export function abandoned(
  { uid = '', namespace, name }: KubeObject['metadata'],
  { id, requestHash, commonName, operation, previousId, afterId, since, until, startTime }: Attempt,
  timing: Timing,
): Abandoned {
  return {
    attemptId: id,
    uid,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    requestHash,
    commonName,
    afterId: operation === 'Reissue' ? (previousId ?? afterId) : afterId,
    since,
    until: until ?? new Date(Date.parse(startTime) + quietAfter(timing)).toISOString(),
  };
}
