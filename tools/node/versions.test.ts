import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CONTAINERD_VERSION, TRAEFIK_VERSION } from './versions.ts';

test.each([
  ['containerd', `github.com/containerd/containerd/v2 ${CONTAINERD_VERSION}`],
  ['traefik', `github.com/traefik/traefik/v3 ${TRAEFIK_VERSION}`],
])('the module of %s pins the same version', async (name, line) => {
  const text = await readFile(join(import.meta.dirname, 'modules', name, 'go.mod'), 'utf8');
  expect(text.split('\n').map((each) => each.trim().replace(' // indirect', ''))).toContain(line);
});
