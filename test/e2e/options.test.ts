import { expect, test } from 'vitest';
import { HELP, OptionError, parseOptions } from './options.ts';

test('without arguments all tests run and everything is built', () => {
  expect(parseOptions([])).toEqual({
    only: [],
    image: undefined,
    upgradeFrom: undefined,
    logs: undefined,
    keep: false,
    json: false,
  });
});

test('all arguments together', () => {
  const line =
    '--only ingress --only clean-after-kill --image a.tar --upgrade-from v1 --logs l --keep --json'.split(
      ' ',
    );
  expect(parseOptions(line)).toEqual({
    only: ['ingress', 'clean-after-kill'],
    image: 'a.tar',
    upgradeFrom: 'v1',
    logs: 'l',
    keep: true,
    json: true,
  });
  for (const flag of line.filter((each) => each.startsWith('--'))) expect(HELP).toContain(`  ${flag}`);
});

test('an unknown test is refused with the names that there are', () => {
  expect(() => parseOptions(['--only', 'ingres'])).toThrow(/no test "ingres".*ingress/u);
});

test.each([['--colour'], ['surplus'], ['--image']])('%s is refused', (argument) => {
  expect(() => parseOptions([argument])).toThrow(OptionError);
});

test('help is text', () => {
  expect(parseOptions(['--keep', '--help'])).toBe('help');
});
