import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { OPERATOR_IMAGE } from './image-name.ts';

test('install.yaml has the image that is built', async () => {
  const text = await readFile(new URL('../../deploy/install.yaml', import.meta.url), 'utf8');
  expect(text).toContain(`image: "${OPERATOR_IMAGE}"`);
});
