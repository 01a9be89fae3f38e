import { describe, expect, test } from 'vitest';
import { HELP, OptionError, readOptions } from './options.ts';

test('the defaults apply without arguments', () => {
  expect(readOptions([])).toEqual({ certificates: 500, concurrency: 32, pairs: 5, json: false });
});

test('every option is read', () => {
  const args =
    '--certificates 10 --concurrency 2 --pairs 1 --json --operator build/op.js --profile profiles'.split(' ');
  expect(readOptions(args)).toEqual({
    certificates: 10,
    concurrency: 2,
    pairs: 1,
    json: true,
    operator: 'build/op.js',
    profile: 'profiles',
  });
});

test('flags of Node and environment variables are read, for the operator only', () => {
  const args =
    '--node-flag=--optimize-for-size --node-flag=--max-semi-space-size=2 --env A=1=2 --env B='.split(' ');
  expect(readOptions(args)).toMatchObject({
    node: { flags: ['--optimize-for-size', '--max-semi-space-size=2'], env: { A: '1=2', B: '' } },
  });
  expect(() => readOptions(['--env', 'A'])).toThrow('"A" is not NAME=VALUE');
  expect(() => readOptions(['--env', 'A=1', '--outage'])).toThrow(
    '--env is for measurements without --outage.',
  );
});

describe('with --against', () => {
  test('the bundle of the baseline is read', () => {
    expect(readOptions(['--against', '../old/dist/operator.js', '--operator', 'op.js'])).toMatchObject({
      against: '../old/dist/operator.js',
      operator: 'op.js',
    });
  });

  test('a profile is refused, since it would slow one of the two', () => {
    expect(() => readOptions(['--against', 'op.js', '--profile', 'profiles'])).toThrow(OptionError);
    expect(readOptions(['--against', 'op.js', '--against-crds', 'crds'])).toMatchObject({
      againstCrds: 'crds',
    });
    expect(() => readOptions(['--against-crds', 'crds'])).toThrow(OptionError);
  });

  test('an outage is refused', () => {
    expect(() => readOptions(['--against', 'op.js', '--outage'])).toThrow(
      '--against is for measurements without --outage.',
    );
  });

  test('the rounds of the baseline count towards the most objects', () => {
    const args = '--against op.js --certificates 5000 --pairs'.split(' ');
    expect(() => readOptions([...args, '6'])).toThrow(OptionError);
    expect(readOptions([...args, '5'])).toMatchObject({ pairs: 5 });
  });
});

describe('with --outage', () => {
  test('the default is a thousand certificates and three rounds', () => {
    expect(readOptions(['--outage'])).toEqual({
      certificates: 1000,
      concurrency: 32,
      rounds: 3,
      json: false,
    });
  });

  test('other numbers are read', () => {
    const args = '--outage --certificates 20 --rounds 1 --concurrency 8 --json'.split(' ');
    expect(readOptions(args)).toEqual({ certificates: 20, concurrency: 8, rounds: 1, json: true });
  });

  test('--pairs is refused, and without it --rounds', () => {
    expect(() => readOptions(['--outage', '--pairs', '5'])).toThrow(
      '--pairs is for measurements without --outage.',
    );
    expect(() => readOptions(['--rounds', '3'])).toThrow('--rounds is for measurements with --outage.');
  });

  test('numbers beyond what one machine can bear are refused', () => {
    expect(() => readOptions(['--outage', '--certificates', '5001'])).toThrow(OptionError);
    expect(() => readOptions(['--outage', '--rounds', '21'])).toThrow(OptionError);
    expect(readOptions(['--outage', '--certificates', '5000', '--rounds', '20'])).toMatchObject({
      rounds: 20,
    });
  });
});

test('--help wins over everything else', () => {
  expect(readOptions(['--help', '--certificates', 'many'])).toBe('help');
});

describe('absurd numbers are refused with the valid range', () => {
  test.each([
    ['--certificates', '0'],
    ['--certificates', '5001'],
    ['--certificates', '1e3'],
    ['--certificates', ''],
    ['--concurrency', '257'],
    ['--concurrency=-1', ''],
    ['--pairs', '21'],
    ['--pairs', '2.5'],
  ])('%s %s', (...args) => {
    expect(() =>
      readOptions(args.filter((arg, index) => index === 0 || arg !== '' || !args[0]?.includes('='))),
    ).toThrow(/is not a whole number from 1 to \d+/);
  });

  test('numbers that are absurd together are refused', () => {
    expect(() => readOptions(['--certificates', '5000', '--pairs', '7'])).toThrow(OptionError);
    expect(readOptions(['--certificates', '5000', '--pairs', '6'])).toMatchObject({ pairs: 6 });
  });
});

test.each([['--nonsense'], ['500'], ['--certificates']])('%s is refused', (arg) => {
  expect(() => readOptions([arg])).toThrow(OptionError);
});

test('the help names every option', () => {
  for (const name of 'certificates concurrency pairs outage rounds json operator against profile help'.split(
    ' ',
  ))
    expect(HELP).toContain(`--${name}`);
});
