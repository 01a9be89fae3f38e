import { expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { LastWritten } from './last-written.ts';

interface Thing {
  metadata: { resourceVersion: string };
}

function thing(resourceVersion: string): Thing {
  return { metadata: { resourceVersion } };
}

function setup(): { clock: VirtualClock; written: LastWritten<Thing> } {
  const clock = new VirtualClock();
  return { clock, written: new LastWritten<Thing>({ clock, keepMs: 1_000 }) };
}

test('a written object is newer than the versions it replaced', () => {
  const { written } = setup();
  written.note('a', '1', thing('2'));
  written.note('a', '2', thing('3'));
  expect(written.newest('a', thing('1'))).toEqual(thing('3'));
  expect(written.newest('a', thing('2'))).toEqual(thing('3'));
});

test('a version that this process did not replace is newer than the written one', () => {
  const { written } = setup();
  written.note('a', '1', thing('2'));
  expect(written.newest('a', thing('9'))).toEqual(thing('9'));
  expect(written.size).toBe(0);
});

test('a created object exists before the watch delivers it', () => {
  const { written } = setup();
  written.note('a', undefined, thing('1'));
  expect(written.newest('a', undefined)).toEqual(thing('1'));
});

test('the watch is trusted again after a while, in case it skipped the version', async () => {
  const { clock, written } = setup();
  written.note('a', undefined, thing('1'));
  await clock.advance(1_000);
  expect(written.newest('a', undefined)).toBeUndefined();
});

test('an event is an echo while it delivers nothing new', () => {
  const { written } = setup();
  written.note('a', '1', thing('2'));
  written.note('a', '2', thing('3'));
  expect(written.observe('b', thing('2'))).toBe('news');
  expect(written.observe('a', thing('1'))).toBe('echo');
  expect(written.observe('a', thing('2'))).toBe('echo');
  expect(written.observe('a', thing('3'))).toBe('echo');
  expect(written.size).toBe(0);
  expect(written.observe('a', thing('4'))).toBe('news');
});

test('a write by someone else ends the memory of our own', () => {
  const { written } = setup();
  written.note('a', '1', thing('2'));
  expect(written.observe('a', thing('9'))).toBe('news');
  expect(written.newest('a', thing('9'))).toEqual(thing('9'));
});

test('what the watch never shows is forgotten by the next write after a while', async () => {
  const { clock, written } = setup();
  written.note('unseen', undefined, thing('1'));
  await clock.advance(600);
  written.note('a', '1', thing('2'));
  await clock.advance(600);
  written.note('b', '1', thing('2'));
  expect(written.size).toBe(2);
  expect(written.newest('unseen', undefined)).toBeUndefined();
});
