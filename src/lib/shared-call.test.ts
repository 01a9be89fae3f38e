import { expect, test } from 'vitest';
import { settle } from '../../test/support/virtual-clock.ts';
import { SharedCall } from './shared-call.ts';

/** A shared call whose results the test gives out. */
function setup() {
  const begun: { signal: AbortSignal; resolve: (value: string) => void; reject: (error: Error) => void }[] =
    [];
  const shared = new SharedCall<string>(
    (signal) => new Promise((resolve, reject) => begun.push({ signal, resolve, reject })),
  );
  return { shared, begun };
}
const { signal } = new AbortController();

test('all who ask before a call begins share it', async () => {
  const { shared, begun } = setup();
  const results = Promise.all([shared.get(signal), shared.get(signal), shared.get(signal)]);
  await settle();
  expect(begun).toHaveLength(1);
  begun[0]?.resolve('one');
  expect(await results).toEqual(['one', 'one', 'one']);
});

test('all who ask while a call is under way share the next one, which begins after that', async () => {
  const { shared, begun } = setup();
  const first = shared.get(signal);
  await settle();
  const later = Promise.all(Array.from({ length: 20 }, () => shared.get(signal)));
  await settle();
  expect(begun).toHaveLength(1);
  begun[0]?.resolve('old');
  expect(await first).toBe('old');
  await settle();
  expect(begun).toHaveLength(2);
  begun[1]?.resolve('new');
  expect(new Set(await later)).toEqual(new Set(['new']));
});

test('an error goes to all who share the call, and the next call is made', async () => {
  const { shared, begun } = setup();
  const results = Promise.allSettled([shared.get(signal), shared.get(signal)]);
  await settle();
  const next = shared.get(signal);
  begun[0]?.reject(new Error('down'));
  expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await settle();
  begun[1]?.resolve('up');
  expect(await next).toBe('up');
});

test('who aborts leaves the call to the others, and the last one to leave aborts it', async () => {
  const { shared, begun } = setup();
  const [one, other] = [new AbortController(), new AbortController()];
  const results = Promise.allSettled([shared.get(one.signal), shared.get(other.signal)]);
  await settle();
  one.abort(new Error('stopped'));
  await settle();
  expect(begun[0]?.signal.aborted).toBe(false);
  other.abort(new Error('stopped too'));
  begun[0]?.reject(new Error('aborted'));
  expect(begun[0]?.signal.aborted).toBe(true);
  expect(await results).toMatchObject([
    { status: 'rejected', reason: { message: 'stopped' } },
    { status: 'rejected', reason: { message: 'stopped too' } },
  ]);
});

test('a call that all have left before it begins is not made, and one who comes then gets the next', async () => {
  const { shared, begun } = setup();
  const first = shared.get(signal);
  await settle();
  const gone = new AbortController();
  const left = shared.get(gone.signal);
  gone.abort(new Error('stopped'));
  await expect(left).rejects.toThrow('stopped');
  await expect(shared.get(gone.signal)).rejects.toThrow('stopped');
  begun[0]?.resolve('one');
  expect(await first).toBe('one');
  await settle();
  expect(begun).toHaveLength(1);
  const next = shared.get(signal);
  await settle();
  begun[1]?.resolve('two');
  expect(await next).toBe('two');
});

test('one who comes after all have left, and before it begins, still gets it', async () => {
  const { shared, begun } = setup();
  void shared.get(signal);
  await settle();
  const gone = new AbortController();
  const left = shared.get(gone.signal);
  gone.abort(new Error('stopped'));
  await expect(left).rejects.toThrow('stopped');
  const next = shared.get(signal);
  begun[0]?.resolve('one');
  await settle();
  begun[1]?.resolve('two');
  expect(await next).toBe('two');
});
