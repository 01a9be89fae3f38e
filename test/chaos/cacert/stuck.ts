import type { RunState } from '../run-state.ts';
import { mailKey, type MailStatus, placeOf } from './deeds.ts';

/** CAcert certificates that are not Ready for their present spec or do not exist, and attempts that are still open. */
export function stuckMails({ mails, mailHistory, cluster }: RunState): string[] {
  const unready = mails.all.flatMap((wanted) => {
    const resource = cluster.etcd.get(mailKey(wanted));
    if (!resource) return [`${placeOf(wanted)} is not there`];
    const { conditions = [] } = (resource.status ?? {}) as MailStatus;
    const ready = conditions.find(({ type }) => type === 'Ready');
    if (ready?.status === 'True' && ready.observedGeneration === resource.metadata.generation) return [];
    const issuing = conditions.find(({ type }) => type === 'Issuing');
    const { reason = 'no condition', message = '' } = issuing ?? ready ?? {};
    return [`${placeOf(wanted)}: ${reason}: ${message}`];
  });
  return [
    ...unready,
    ...mailHistory.openAttempts().map((place) => `${place}: an attempt is still in the journal`),
  ];
}
