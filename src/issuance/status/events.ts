import type { EventRecorder } from '../../kube/events.ts';
import type { KubeObject } from '../../kube/objects.ts';

/**
 * Reports something to act on, as an event on the resource. `isBounded`: one of a limited series that is reported once, so
 * it is exempt from the limit on the events of one object.
 */
export type Warn = (
  object: KubeObject,
  reason: string,
  message: string,
  options?: { isBounded: true },
) => void;

/** Reports warnings as Kubernetes events. Success makes no event: each is a write, and nobody reads it. */
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

/** Reports something to the operator's administrator when no resource is left to report it on. */
export type WarnOperator = (reason: string, message: string) => void;

/** Reports warnings as events on the operator's own pod: a terminating namespace accepts no events. */
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
