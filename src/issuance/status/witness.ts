import type { EventRecorder } from '../../kube/events.ts';

/** Tells whoever runs the operator of something that no resource is left to say. */
export type Witness = (reason: string, message: string) => void;

/** Warnings as events about the operator's own pod, in its namespace: a terminating namespace takes no events. */
export function eventWitness(
  recorder: Pick<EventRecorder, 'record'>,
  operator: { namespace: string; pod: string },
): Witness {
  const { namespace, pod } = operator;
  return (reason, message) => {
    const object = { apiVersion: 'v1', kind: 'Pod', namespace, name: pod, uid: '' };
    recorder.record({ object, type: 'Warning', reason, message });
  };
}
