import { expect, test } from 'vitest';
import { refusal } from '../../../test/support/kube/stored-object.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { ReconcileContext } from '../../kube/controller/controller.ts';
import { FAILURES_BEFORE_EVENT, StatusRefused, refusalOf, reportingRefusals } from './refused-status.ts';

test.each([
  [403, 'Let the operator update the status'],
  [413, 'Make the resource smaller'],
  [422, 'Remove from the resource what makes it invalid'],
  [500, 'If the resource is too large'],
])('an answer with %s says what the server said, and the cure', (status, cure) => {
  expect(refusalOf(refusal(status))?.message).toContain(`that is fixed: refused. ${cure}`);
});

/** The events about `ns/ca` after a reconcile failed, and what was thrown. */
async function reported(failure: Error, failures: number, stored: KubeObject | undefined) {
  const events: string[] = [];
  const reconcile = reportingRefusals(
    { resources: { get: () => stored }, warn: (_, reason) => void events.push(reason) },
    () => Promise.reject(failure),
  );
  const context = { failures } as ReconcileContext;
  const thrown: unknown = await reconcile('ns/ca', context).catch((caught: unknown) => caught);
  return { events, isRethrown: thrown === failure };
}

test.each<[string, Error, number, boolean, string[]]>([
  ['a refusal at once', new StatusRefused('no'), 0, true, ['StatusRefused']],
  [
    'nothing while a refusal may pass',
    new StatusRefused('no', { mayPass: true }),
    FAILURES_BEFORE_EVENT - 1,
    true,
    [],
  ],
  [
    'a refusal that has lasted',
    new StatusRefused('no', { mayPass: true }),
    FAILURES_BEFORE_EVENT,
    true,
    ['StatusRefused'],
  ],
  ['no other failure', new Error('socket'), 99, true, []],
  ['nothing about a resource that is gone', new StatusRefused('no'), 0, false, []],
])('a controller reports %s', async (_, failure, failures, isStored, events) => {
  const stored = isStored ? { metadata: { name: 'ca' } } : undefined;
  expect(await reported(failure, failures, stored)).toEqual({ events, isRethrown: true });
});
