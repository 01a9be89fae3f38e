import type { EventRecorder } from '../../kube/events.ts';
import type { KubeObject } from '../../kube/objects.ts';

/**
 * Tells whoever looks after a resource of something to act on, by an event. `isBounded`: it is one of several that are each
 * told once, so that none is left out for the others.
 */
export type Warn = (
  object: KubeObject,
  reason: string,
  message: string,
  options?: { isBounded: true },
) => void;

/** Warnings as Kubernetes events. What goes well makes none: an event is a write, and nobody reads success. */
export function eventWarner(recorder: Pick<EventRecorder, 'record'>): Warn {
  return ({ apiVersion = '', kind = '', metadata }, reason, message, options) => {
    const { name, namespace, uid = '', resourceVersion } = metadata;
    recorder.record({
      object: {
        apiVersion,
        kind,
        name,
        uid,
        ...(namespace === undefined ? {} : { namespace }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      type: 'Warning',
      reason,
      message,
      ...options,
    });
  };
}
