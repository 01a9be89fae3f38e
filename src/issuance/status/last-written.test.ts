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

test.each([
  ['9', '10'],
  ['10', '9007199254740993'],
])(
  'liveFloor: a version with a lower number is older, though this process did not replace it: %s than %s',
  (older, newer) => {
    const { written } = setup();
    written.note('a', '3', thing(newer));
    expect(written.observe('a', thing(older))).toBe('echo');
    expect(written.newest('a', thing(older))).toEqual(thing(newer));
    // Another server may have replaced what this process read or wrote.
    const later = thing(`${newer}0`);
    expect(written.newest('a', later)).toEqual(later);
  },
);

test('versions that are no numbers are older only if this process replaced them', () => {
  const { written } = setup();
  written.note('a', 'one', thing('two'));
  expect(written.newest('a', thing('one'))).toEqual(thing('two'));
  expect(written.newest('a', thing('zero'))).toEqual(thing('zero'));
});

test('an object that the watch no longer shows is gone, unless this process has just created it', () => {
  const { written } = setup();
  written.note('a', '1', thing('2'));
  expect(written.newest('a', undefined)).toBeUndefined();
});

test('the watch is trusted again after a while, in case etcd was put back to lower versions', async () => {
  const { clock, written } = setup();
  written.note('a', '8', thing('9'));
  expect(written.newest('a', thing('5'))).toEqual(thing('9'));
  await clock.advance(1_000);
  expect(written.newest('a', thing('5'))).toEqual(thing('5'));
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

test('what somebody else wrote between a decision and the own write is news once, although both are replaced', () => {
  const { written } = setup();
  // A result met a conflict, was read again with an edit in it, and was written over that.
  written.noteLive('a', '1', thing('2'));
  written.note('a', '2', thing('3'));
  expect(written.newest('a', thing('1'))).toEqual(thing('3'));
  expect(written.observe('a', thing('2'))).toBe('news');
  expect(written.observe('a', thing('3'))).toBe('echo');
  // If the watch skips the edit, the own write tells of it.
  written.noteLive('a', '3', thing('4'));
  written.note('a', '4', thing('5'));
  expect(written.observe('a', thing('5'))).toBe('news');
});
