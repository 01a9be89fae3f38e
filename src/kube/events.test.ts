import { describe, expect, test } from 'vitest';
import { VirtualClock, settle } from '../../test/support/virtual-clock.ts';
import { silentLog } from '../lib/log.ts';
import { ApiError } from './errors.ts';
import { type EventRecord, EventRecorder, type KubeEvent } from './events.ts';

interface SetUp {
  clock: VirtualClock;
  recorder: EventRecorder;
  written: KubeEvent[];
  /** What the API server does with the next event. Default: it writes it. */
  server: { answer?: (event: KubeEvent) => Promise<KubeEvent> };
  stop: () => Promise<void>;
}

function start(): SetUp {
  const clock = new VirtualClock('2026-01-01T00:00:00Z');
  const written: KubeEvent[] = [];
  const server: SetUp['server'] = {};
  const recorder = new EventRecorder({
    client: {
      create: (_type, event) => {
        if (server.answer) return server.answer(event);
        written.push(event);
        return Promise.resolve(event);
      },
    },
    clock,
    log: silentLog,
    controller: 'tinycert-operator.io/operator',
    instance: 'operator-0',
  });
  const stopping = new AbortController();
  const running = recorder.run(stopping.signal);
  const stop = (): Promise<void> => {
    stopping.abort(new Error('stopped'));
    return running;
  };
  return { clock, recorder, written, server, stop };
}

function warning(name: string, message = 'The issuer does not exist.'): EventRecord {
  const object = {
    apiVersion: 'tinycert-operator.io/v1alpha1',
    kind: 'TinyCertCertificate',
    namespace: 'shop',
    name,
    uid: `uid-${name}`,
  };
  return { object, type: 'Warning', reason: 'IssuerNotFound', message };
}

function refusal(): ApiError {
  return new ApiError({ status: 403, reason: 'Forbidden', message: 'no', verb: 'POST', resource: 'events' });
}

test('an event is written in the form of events.k8s.io', async () => {
  const { recorder, written, stop } = start();
  recorder.record({ ...warning('web'), action: 'Issue' });
  await settle();
  expect(written).toEqual([
    {
      metadata: { name: expect.stringMatching(/^web\.[\da-f]{16}$/), namespace: 'shop' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      type: 'Warning',
      reason: 'IssuerNotFound',
      action: 'Issue',
      note: 'The issuer does not exist.',
      reportingController: 'tinycert-operator.io/operator',
      reportingInstance: 'operator-0',
      regarding: warning('web').object,
    },
  ]);
  await stop();
});

test('an event about a cluster-scoped object goes to the namespace default', async () => {
  const { recorder, written, stop } = start();
  const { namespace: _, ...object } = warning('global').object;
  recorder.record({ ...warning('global'), object });
  await settle();
  expect(written.map(({ metadata }) => metadata.namespace)).toEqual(['default']);
  await stop();
});

test('the same event is suppressed for ten minutes, others are not', async () => {
  const { clock, recorder, written, stop } = start();
  recorder.record(warning('web'));
  recorder.record(warning('web'));
  recorder.record(warning('web', 'Another message.'));
  recorder.record(warning('api'));
  await clock.advance(599_999);
  recorder.record(warning('web'));
  await settle();
  expect(written).toHaveLength(3);
  await clock.advance(1);
  recorder.record(warning('web'));
  await settle();
  expect(written).toHaveLength(4);
  await stop();
});

test('events that their caller limits are all written, however many one object has', async () => {
  const { recorder, written, stop } = start();
  for (let i = 0; i < 40; i += 1) recorder.record({ ...warning('web', `Orphan ${i}.`), isBounded: true });
  await settle();
  expect(written).toHaveLength(40);
  await stop();
});

test('one object gets a burst of ten events and then one a minute, and others are not delayed', async () => {
  const { clock, recorder, written, stop } = start();
  for (let i = 0; i < 30; i += 1) recorder.record(warning('noisy', `Message ${i}.`));
  recorder.record(warning('quiet'));
  await settle(60);
  expect(written.filter(({ regarding }) => regarding.name === 'noisy')).toHaveLength(10);
  expect(written.filter(({ regarding }) => regarding.name === 'quiet')).toHaveLength(1);
  await clock.advance(60_000);
  for (let i = 30; i < 40; i += 1) recorder.record(warning('noisy', `Message ${i}.`));
  await settle(10);
  expect(written).toHaveLength(12);
  await stop();
});

test.each([
  ['ASCII', 'x'.repeat(5000)],
  ['two bytes per character', 'é'.repeat(5000)],
  ['pairs', '😀'.repeat(5000)],
])('a long message is cut to 1 KiB at a whole character: %s', async (_, message) => {
  const { recorder, written, stop } = start();
  recorder.record(warning('web', message));
  await settle();
  const note = written[0]?.note ?? '';
  expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
  expect(Buffer.byteLength(note)).toBeGreaterThan(1000);
  expect(note.isWellFormed()).toBe(true);
  expect(note.endsWith('…')).toBe(true);
  await stop();
});

test('a name at the limit leaves room for the suffix', async () => {
  const { recorder, written, stop } = start();
  recorder.record(warning('n'.repeat(253)));
  await settle();
  expect(written[0]?.metadata.name.length).toBeLessThanOrEqual(253);
  await stop();
});

describe('an API server that fails', () => {
  test('by refusing an event causes only its loss, and the next attempt is not a repetition', async () => {
    const { recorder, written, server, stop } = start();
    server.answer = () => Promise.reject(refusal());
    recorder.record(warning('web'));
    await settle();
    delete server.answer;
    recorder.record(warning('api'));
    recorder.record(warning('web'));
    await settle();
    expect(written.map(({ regarding }) => regarding.name)).toEqual(['api', 'web']);
    await stop();
  });

  test('by never answering does not delay the caller, nor other events for long', async () => {
    const { clock, recorder, written, server, stop } = start();
    server.answer = () => new Promise<never>(() => undefined);
    recorder.record(warning('stuck'));
    recorder.record(warning('next'));
    await settle();
    delete server.answer;
    expect(written).toEqual([]);
    await clock.advance(5000);
    expect(written.map(({ regarding }) => regarding.name)).toEqual(['next']);
    await stop();
  });

  test('by never answering fills a bounded queue, and further events are dropped', async () => {
    const { clock, recorder, written, server, stop } = start();
    server.answer = () => new Promise<never>(() => undefined);
    recorder.record(warning('stuck'));
    await settle();
    for (let i = 0; i < 1000; i += 1) recorder.record(warning(`web-${i}`));
    delete server.answer;
    await clock.advance(5000);
    await settle(300);
    expect(written).toHaveLength(256);
    await stop();
  });
});

describe('shutting down', () => {
  test('writes the queued events', async () => {
    const { recorder, written, stop } = start();
    for (let i = 0; i < 20; i += 1) recorder.record(warning(`web-${i}`));
    await stop();
    expect(written).toHaveLength(20);
  });

  test('stops after a few seconds and leaves no timer', async () => {
    const { clock, recorder, server, stop } = start();
    server.answer = () => new Promise<never>(() => undefined);
    for (let i = 0; i < 20; i += 1) recorder.record(warning(`web-${i}`));
    let over = false;
    const stopped = stop().then(() => {
      over = true;
    });
    await clock.advance(10_000);
    await stopped;
    expect({ over, timers: clock.pending }).toEqual({ over: true, timers: 0 });
  });

  test('ends an idle recorder at once', async () => {
    const { stop } = start();
    await settle();
    await expect(stop()).resolves.toBeUndefined();
  });
});
