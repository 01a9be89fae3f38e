import type { Condition, KubeObject, ResourceType } from '../../kube/objects.ts';
import { keyOf } from '../../kube/objects.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Warn } from './events.ts';
import { sameConditions, withConditions } from './conditions.ts';
import type { LastWritten } from './last-written.ts';
import { patchFindings } from './patch.ts';

/**
 * Reports in the status of an issuer or account whether it is ready, in one write together with `fields`, unless neither
 * changed. A reason for not being ready makes an event when it changes. Rejects as `patchFindings`.
 */
export async function reportReady<R extends KubeObject & { status?: { conditions?: Condition[] } }>(
  deps: Parameters<typeof patchFindings>[0] & { clock: Clock; warn: Warn },
  { type, resource, written }: { type: ResourceType<R>; resource: R; written: LastWritten<R> },
  { ready, reason, message }: Reason & { ready: boolean },
  fields: { change: object; isNews: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { metadata, status } = resource;
  const conditions = withConditions(
    status?.conditions,
    [{ type: 'Ready', status: ready ? 'True' : 'False', reason, message }],
    { now: deps.clock.now(), generation: metadata.generation },
  );
  const isSame = sameConditions(status?.conditions, conditions);
  if (isSame && !fields.isNews) return;
  if (!ready && !isSame) deps.warn(resource, reason, message);
  const change = { conditions, ...fields.change };
  written.note(
    keyOf(resource),
    metadata.resourceVersion,
    await patchFindings(deps, type, resource, change, signal),
  );
}
