import { expect, test } from 'vitest';
import { UnderWay } from './under-way.ts';

test('calls are counted until they settle, also those that fail', async () => {
  const calls = new UnderWay();
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
  const answered = calls.during(() => first.promise);
  const failed = calls.during(() => second.promise);
  expect(calls.count).toBe(2);

  first.resolve('answer');
  expect(await answered).toBe('answer');
  expect(calls.count).toBe(1);

  second.reject(new Error('refused'));
  await expect(failed).rejects.toThrow('refused');
  expect(calls.count).toBe(0);
});

test('who waits for the end of all calls is woken by the last one', async () => {
  const calls = new UnderWay();
  await calls.none();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const both = [calls.during(() => first.promise), calls.during(() => second.promise)];
  let isOver = false;
  const over = calls.none().then(() => (isOver = true));

  first.resolve();
  await both[0];
  expect(isOver).toBe(false);

  second.resolve();
  await over;
  expect(calls.count).toBe(0);
});
