import { describe, expect, test } from 'vitest';
import { requestCounts, since } from './request-counts.ts';

/** A line in an API server's form. */
function line(verb: string, resource: string, code: number, value: number, group = ''): string {
  return `apiserver_request_total{code="${code}",component="apiserver",dry_run="",group="${group}",resource="${resource}",scope="resource",subresource="",verb="${verb}",version="v1"} ${value}`;
}

const nothing = { writes: 0, reads: 0, conflicts: 0, failures: 0 };

describe('a request counts', () => {
  test.each([
    ['a create', line('POST', 'secrets', 201, 5), { writes: 5 }],
    [
      'a patch of any group',
      line('PATCH', 'tinycertcertificates', 200, 7, 'tinycert-operator.io'),
      { writes: 7 },
    ],
    ['an apply', line('APPLY', 'configmaps', 200, 1), { writes: 1 }],
    ['an update', line('PUT', 'secrets', 200, 1), { writes: 1 }],
    ['a deletion', line('DELETE', 'secrets', 200, 1), { writes: 1 }],
    ['an event', line('POST', 'events', 201, 1, 'events.k8s.io'), { writes: 1 }],
    ['a read', line('GET', 'secrets', 200, 3), { reads: 3 }],
    ['a read of an absent object', line('GET', 'secrets', 404, 3), { reads: 3 }],
    ['a list', line('LIST', 'secrets', 200, 2), { reads: 2 }],
    ['a stale version', line('PATCH', 'secrets', 409, 2), { conflicts: 2 }],
    ['a name that is taken', line('POST', 'secrets', 409, 2), { conflicts: 2 }],
    ['a refusal', line('PATCH', 'secrets', 422, 2), { failures: 2 }],
    ['a watch is not counted', line('WATCH', 'secrets', 200, 9), {}],
    ['a Lease is not counted', line('PUT', 'leases', 200, 9, 'coordination.k8s.io'), {}],
    [
      'a priority level is not counted',
      line('APPLY', 'flowschemas', 200, 9, 'flowcontrol.apiserver.k8s.io'),
      {},
    ],
    ['a path that is no resource is not counted', line('GET', '', 200, 9), {}],
  ])('%s', (_what, metrics, want) => {
    expect(requestCounts(`${metrics}\n`)).toEqual({ ...nothing, ...want });
  });
});

test('counts of several lines add up', () => {
  const metrics = [
    line('POST', 'secrets', 201, 5),
    line('PATCH', 'secrets', 200, 2),
    line('GET', 'secrets', 200, 1),
  ];
  expect(requestCounts(metrics.join('\n'))).toEqual({ ...nothing, writes: 7, reads: 1 });
});

test('the requests between two counts are their difference', () => {
  const before = { writes: 1, reads: 2, conflicts: 3, failures: 4 };
  const after = { writes: 11, reads: 12, conflicts: 13, failures: 14 };
  expect(since(before, after)).toEqual({ writes: 10, reads: 10, conflicts: 10, failures: 10 });
});
