import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { version } from '../../src/operator/version.ts';
import { BASE, BUILDER, REPOSITORY } from './facts.ts';
import { HELP, readOptions } from './options.ts';

test('the defaults apply without arguments', () => {
  expect(readOptions([])).toEqual({
    tag: `${REPOSITORY}:${version}`,
    base: BASE,
    builder: BUILDER,
    standIns: false,
  });
});

test('every option is read', () => {
  const args = '--tag example.org/op:1 --archive out/image.tar --platform linux/arm64 --base b --builder c';
  expect(readOptions(args.split(' '))).toEqual({
    tag: 'example.org/op:1',
    archive: resolve('out/image.tar'),
    platform: 'linux/arm64',
    base: 'b',
    builder: 'c',
    standIns: false,
  });
});

test('stand-ins take the place of both base images, and are of this machine', () => {
  expect(readOptions(['--stand-ins'])).toMatchObject({ standIns: true });
  for (const other of ['--base=b', '--builder=b', '--platform=linux/arm64'])
    expect(() => readOptions(['--stand-ins', other])).toThrow(`leave out ${other.split('=')[0]}`);
});

test('what cannot be is refused, with what can', () => {
  expect(() => readOptions(['--tag', '-x y'])).toThrow('--tag');
  expect(() => readOptions(['--tag', 'Upper Case'])).toThrow('is no name of an image');
  expect(() => readOptions(['--platform', 'windows/amd64'])).toThrow('linux/amd64 or linux/arm64');
  expect(() => readOptions(['--push'])).toThrow('--push');
});

test('the help names every option', () => {
  expect(readOptions(['-h'])).toBe('help');
  for (const option of ['tag', 'archive', 'platform', 'base', 'builder', 'stand-ins', 'help'])
    expect(HELP).toContain(`--${option} `);
});
