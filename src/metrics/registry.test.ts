import { expect, test } from 'vitest';
import { createMetrics } from './registry.ts';

test('every known series starts at zero, with the names that dashboards use', async () => {
  const metrics = createMetrics({ process: false });
  metrics.controller.attach('certificates');
  metrics.queue.attach('certificates', () => ({ depth: 0, unfinishedSeconds: 0, longestRunningSeconds: 0 }));
  const text = await metrics.registry.metrics();
  const controller = '{controller="certificates"}';
  const queue = '{name="certificates",controller="certificates"}';
  const series = [
    ...['success', 'error', 'requeue', 'requeue_after'].map(
      (result) => `controller_runtime_reconcile_total{controller="certificates",result="${result}"}`,
    ),
    `controller_runtime_reconcile_errors_total${controller}`,
    `controller_runtime_terminal_reconcile_errors_total${controller}`,
    `controller_runtime_reconcile_timeouts_total${controller}`,
    `tinycert_reconcile_conflicts_total${controller}`,
    `controller_runtime_active_workers${controller}`,
    `controller_runtime_max_concurrent_reconciles${controller}`,
    `controller_runtime_reconcile_time_seconds_count${controller}`,
    `workqueue_depth${queue}`,
    `workqueue_adds_total${queue}`,
    `workqueue_retries_total${queue}`,
    `workqueue_unfinished_work_seconds${queue}`,
    `workqueue_longest_running_processor_seconds${queue}`,
    `workqueue_queue_duration_seconds_count${queue}`,
    `workqueue_work_duration_seconds_count${queue}`,
    'tinycert_certificate_issuances_total{operation="new",outcome="success"}',
    'tinycert_certificate_issuances_total{operation="reissue",outcome="failure"}',
  ];
  expect(series.filter((one) => !text.includes(`${one} 0\n`))).toEqual([]);
});

test('requests and leadership have client-go’s labels', async () => {
  const { registry, rest, lease, tinycert } = createMetrics({ process: false });
  rest.requests.inc({ code: '200', method: 'GET', host: 'api:6443' });
  lease.leader.set({ name: 'operator' }, 1);
  tinycert.requests.inc({ call: 'cert/new', code: '200' });
  tinycert.duration.observe({ call: 'cert/new' }, 0.3);
  const text = await registry.metrics();
  expect(text).toContain('rest_client_requests_total{code="200",method="GET",host="api:6443"} 1\n');
  expect(text).toContain('leader_election_master_status{name="operator"} 1\n');
  expect(text).toContain('tinycert_client_requests_total{call="cert/new",code="200"} 1\n');
  expect(text).toContain('tinycert_client_request_duration_seconds_sum{call="cert/new"} 0.3\n');
});

test('two registries are independent', async () => {
  const [one, two] = [createMetrics({ process: false }), createMetrics({ process: false })];
  one.certificates.issuances.inc({ operation: 'new', outcome: 'success' });
  expect(await two.registry.metrics()).toContain('{operation="new",outcome="success"} 0\n');
});

test('metrics of the process are included', async () => {
  const { registry } = createMetrics();
  await registry.metrics();
  const text = await registry.metrics();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
  for (const name of [
    'process_cpu_seconds_total',
    'process_cpu_user_seconds_total',
    'process_resident_memory_bytes',
    'process_start_time_seconds',
    'process_open_fds',
    'process_max_fds',
    'nodejs_heap_size_total_bytes',
    'nodejs_heap_size_used_bytes',
    'nodejs_external_memory_bytes',
    'nodejs_eventloop_lag_seconds',
    'nodejs_eventloop_utilization',
  ])
    expect({ name, positive: value(name) > 0 }).toEqual({ name, positive: true });
  expect(text).toContain(`nodejs_version_info{version="${process.version}"} 1\n`);
  expect(text).toContain('nodejs_gc_duration_seconds_count{kind="major"} ');
});
