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

/** Tells whoever runs the operator of something that no resource is left to say. */
export type WarnOperator = (reason: string, message: string) => void;

/** Warnings as events about the operator's own pod, in its namespace: a terminating namespace takes no events. */
export function operatorEvents(
  recorder: Pick<EventRecorder, 'record'>,
  operator: { namespace: string; pod: string },
): WarnOperator {
  const { namespace, pod } = operator;
  return (reason, message) => {
    const object = { apiVersion: 'v1', kind: 'Pod', namespace, name: pod, uid: '' };
    recorder.record({ object, type: 'Warning', reason, message });
  };
}
