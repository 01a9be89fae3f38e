import { beforeEach, describe, expect, test } from 'vitest';
import { HighestIds } from './highest-ids.ts';

const WRONG = Number.MAX_SAFE_INTEGER;

let ids: HighestIds;
beforeEach(() => {
  ids = new HighestIds();
});

function list(...lines: number[]): void {
  const reading = ids.list(1);
  for (const line of lines) reading.see(line);
  reading.end();
}

describe('the highest id of an authority', () => {
  test('is unknown before the first list', () => {
    expect(ids.of(1)).toBeUndefined();
  });

  test.each([
    ['the highest on a list', [5, 9, 7], 9],
    ['zero after an empty list', [], 0],
  ])('is %s', (_, lines, highest) => {
    list(...lines);
    expect([ids.of(1), ids.of(2)]).toEqual([highest, undefined]);
  });

  test('is raised by an answer, and not lowered by an earlier one', () => {
    list(5);
    ids.note(1, 8);
    ids.note(1, 6);
    expect(ids.of(1)).toBe(8);
  });

  test('is not changed by a list that breaks off', () => {
    list(5);
    ids.list(1).see(WRONG);
    ids.list(1).see(3);
    expect(ids.of(1)).toBe(5);
  });
});

describe('a highest id that lists contradict', () => {
  test('stays after one list', () => {
    list(5, 9);
    list(5);
    expect(ids.of(1)).toBe(9);
  });

  test('is lowered by two in a row, to the higher of what they show', () => {
    list(5, WRONG);
    list(5, 6);
    list(5);
    expect(ids.of(1)).toBe(6);
  });

  test('is lowered again and again', () => {
    for (let round = 0; round < 3; round += 1) {
      list(5, WRONG);
      list(5);
      list(5);
      expect(ids.of(1)).toBe(5);
    }
  });

  test('stays if a list between the two confirms it', () => {
    for (const lines of [[9], [5], [9], [5]]) list(...lines);
    expect(ids.of(1)).toBe(9);
  });

  test('is not lowered below an answer since the first of them', () => {
    list(5, WRONG);
    list(5);
    ids.note(1, 7);
    list(5);
    expect(ids.of(1)).toBe(7);
  });

  test('is lowered also if an answer named it', () => {
    list(5);
    ids.note(1, WRONG);
    list(5);
    list(5);
    expect(ids.of(1)).toBe(5);
  });

  test('is not contradicted by a list that began before the answer which names it', () => {
    list(5);
    const [first, second] = [ids.list(1), ids.list(1)];
    ids.note(1, 8);
    for (const each of [first, second]) {
      each.see(5);
      each.end();
    }
    expect(ids.of(1)).toBe(8);
  });
});
