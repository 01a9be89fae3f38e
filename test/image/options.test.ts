import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { HELP, readOptions } from './options.ts';

test('without arguments an image is built on the real base images', () => {
  expect(readOptions([])).toEqual({ standIns: false, json: false });
});

test('an image that is there is checked instead', () => {
  expect(readOptions(['--archive', 'image.tar', '--json'])).toEqual({
    archive: resolve('image.tar'),
    standIns: false,
    json: true,
  });
  expect(() => readOptions(['--archive=x', '--stand-ins'])).toThrow('leave it out, or --archive');
});

test('the help names every option, and no other is read', () => {
  expect(readOptions(['--help'])).toBe('help');
  for (const option of ['archive', 'stand-ins', 'json']) expect(HELP).toContain(`--${option}`);
  expect(() => readOptions(['--tag=x'])).toThrow('--tag');
});
