import { readFile, readdir } from 'node:fs/promises';
import { PerformanceObserver, constants, performance } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../lib/clock.ts';

const GC_KINDS = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

/**
 * Registers metrics of the process with the names of prom-client's defaults. The defaults themselves sample the event loop a
 * hundred times a second, which costs an idle process more than everything else. Here everything is read at the scrape.
 */
export function registerProcessMetrics(registry: Registry, clock: Clock): void {
  const started = clock.now() / 1000 - process.uptime();
  gauge(
    registry,
    'process_start_time_seconds',
    'Start time of the process, in seconds since the epoch.',
    () => started,
  );
  registerCpu(registry);
  registerFiles(registry);
  const memory = (): NodeJS.MemoryUsage => process.memoryUsage();
  gauge(registry, 'process_resident_memory_bytes', 'Resident memory in bytes.', () =>
    process.memoryUsage.rss(),
  );
  gauge(registry, 'nodejs_heap_size_total_bytes', 'Size of the V8 heap in bytes.', () => memory().heapTotal);
  gauge(
    registry,
    'nodejs_heap_size_used_bytes',
    'Used part of the V8 heap in bytes.',
    () => memory().heapUsed,
  );
  gauge(
    registry,
    'nodejs_external_memory_bytes',
    'Memory outside the V8 heap in bytes.',
    () => memory().external,
  );
  registerEventLoop(registry, clock);
  registerGarbageCollection(registry);
  const labelNames = ['version'];
  new Gauge({
    name: 'nodejs_version_info',
    help: 'Version of Node.js.',
    labelNames,
    registers: [registry],
  }).set({ version: process.version }, 1);
}

function gauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => number | undefined | Promise<number | undefined>,
): Gauge {
  const registers = [registry];
  return new Gauge({
    name,
    help,
    registers,
    async collect() {
      const value = await read();
      if (value !== undefined) this.set(value);
    },
  });
}

function registerCpu(registry: Registry): void {
  const registers = [registry];
  const counter = (name: string, help: string, micros: (usage: NodeJS.CpuUsage) => number): Counter =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(micros(process.cpuUsage()) / 1e6);
      },
    });
  counter('process_cpu_user_seconds_total', 'Seconds of CPU time in user mode.', ({ user }) => user);
  counter('process_cpu_system_seconds_total', 'Seconds of CPU time in system mode.', ({ system }) => system);
  counter(
    'process_cpu_seconds_total',
    'Seconds of CPU time in user and system mode.',
    ({ user, system }) => user + system,
  );
}

/** Linux only, as these metrics are in other clients. */
function registerFiles(registry: Registry): void {
  gauge(registry, 'process_open_fds', 'Open file descriptors.', async () => {
    const open = await readdir('/proc/self/fd').catch(() => undefined);
    return open?.length;
  });
  gauge(registry, 'process_max_fds', 'Limit of open file descriptors.', async () => {
    const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  });
}

function registerEventLoop(registry: Registry, clock: Clock): void {
  gauge(
    registry,
    'nodejs_eventloop_lag_seconds',
    'Lag of the event loop at the scrape, in seconds.',
    async () => {
      const asked = clock.monotonic();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      return (clock.monotonic() - asked) / 1000;
    },
  );
  let last = performance.eventLoopUtilization();
  gauge(
    registry,
    'nodejs_eventloop_utilization',
    'Share of the time since the last scrape in which the event loop was busy, from 0 to 1.',
    () => {
      const current = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(current, last);
      last = current;
      return utilization;
    },
  );
}

function registerGarbageCollection(registry: Registry): void {
  const duration = new Histogram({
    name: 'nodejs_gc_duration_seconds',
    help: 'Seconds that a garbage collection took, by kind.',
    labelNames: ['kind'],
    buckets: [0.001, 0.01, 0.1, 1, 2, 5],
    registers: [registry],
  });
  for (const kind of GC_KINDS.values()) duration.zero({ kind });
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = GC_KINDS.get(kindOf(entry));
      if (kind !== undefined) duration.observe({ kind }, entry.duration / 1000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
}

function kindOf(entry: object): number {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined;
  const known = typeof detail === 'object' && detail !== null && 'kind' in detail;
  return known && typeof detail.kind === 'number' ? detail.kind : -1;
}
