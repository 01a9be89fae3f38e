import { expect, test } from 'vitest';
import { sourceDate } from './source-date.ts';

test('what is given comes before the time of the commit', () => {
  expect(sourceDate({ SOURCE_DATE_EPOCH: '1700000000' }, () => '1')).toEqual(
    new Date('2023-11-14T22:13:20Z'),
  );
  expect(sourceDate({ SOURCE_DATE_EPOCH: '' }, () => '1600000000')).toEqual(new Date('2020-09-13T12:26:40Z'));
  expect(sourceDate({}, () => '1600000000')).toEqual(new Date('2020-09-13T12:26:40Z'));
});

test('without either it is now', () => {
  const before = Date.now();
  expect(sourceDate({}, () => undefined).getTime()).toBeGreaterThanOrEqual(before);
});

test('what is no number of seconds is refused with what it must be', () => {
  for (const SOURCE_DATE_EPOCH of ['yesterday', '1.5', '-1', '123456789012'])
    expect(() => sourceDate({ SOURCE_DATE_EPOCH }, () => '1')).toThrow('must be seconds since 1970');
});
