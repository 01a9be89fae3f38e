import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { HELP, readOptions } from './options.ts';

test('without --dry-run it is refused, with what publishes', () => {
  expect(() => readOptions([])).toThrow('.github/workflows/release.yaml publishes');
});

test('the folder is below dist unless another is given', () => {
  expect(readOptions(['--dry-run'])).toEqual({ folder: resolve('dist/release'), standIns: false });
  expect(readOptions(['--dry-run', '--out', 'x'])).toMatchObject({ folder: resolve('x') });
});

test('the base images and the digest of the image are read', () => {
  const imageDigest = `sha256:${'a'.repeat(64)}`;
  expect(
    readOptions(['--dry-run', '--base=b', '--builder=c', `--image-digest=${imageDigest}`, '--stand-ins']),
  ).toMatchObject({ base: 'b', builder: 'c', imageDigest, standIns: true });
  expect(() => readOptions(['--dry-run', '--image-digest=sha256:abc'])).toThrow('64 hexadecimal digits');
});

test('what is unknown is refused, and the help names what is known', () => {
  expect(() => readOptions(['--publish'])).toThrow('--publish');
  expect(readOptions(['--help'])).toBe('help');
  for (const option of ['dry-run', 'out', 'base', 'builder', 'stand-ins', 'image-digest'])
    expect(HELP).toContain(`--${option}`);
});
