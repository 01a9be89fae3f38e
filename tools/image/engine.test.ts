import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildArgs } from './buildah.ts';
import { dockerArgs } from './docker.ts';
import type { BuildRequest } from './engine-types.ts';
import { findEngine } from './engine.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A machine where commands that begin like this print something, and all others fail. */
function machine(...works: readonly (readonly [string, string])[]) {
  return (command: string, args: readonly string[]): Promise<string | undefined> => {
    const line = `${command} ${args.join(' ')}`;
    return Promise.resolve(works.find(([start]) => line.startsWith(start))?.[1]);
  };
}

const REQUEST: BuildRequest = {
  title: 'Building',
  context: '/context',
  dockerfile: '/context/Dockerfile',
  tag: 'example.org/name:1',
  args: { VERSION: '1.2.3' },
  secrets: { npmrc: '/secret/npmrc' },
  created: new Date(1_700_000_000_000),
  pull: true,
  temporary: '/temporary',
};

test('Docker builds where its engine answers', async () => {
  const engine = await findEngine(folder, machine(['docker info', '28.0.0'], ['buildah --version', '1.28']));
  expect(engine.name).toBe('docker');
});

test('buildah builds where there is only a client of Docker', async () => {
  const probe = machine(['docker info', ''], ['buildah --version', '1.28']);
  expect((await findEngine(folder, probe)).name).toBe('buildah');
});

test('without either, the error names both and the package', async () => {
  await expect(findEngine(folder, machine())).rejects.toMatchObject({
    code: 'NoEngine',
    details: ['Start Docker, or install buildah (on Debian: apt-get install buildah).'],
  });
});

test('buildah uses overlays where it can, and its own folder always', async () => {
  const asked: string[] = [];
  const on = (canOverlay: boolean) => async (command: string, args: readonly string[]) => {
    asked.push([command, ...args].join(' '));
    return args.includes('info') && !canOverlay ? undefined : '1.28';
  };
  await (await findEngine(folder, onWithoutDocker(on(true)))).hasImage('x');
  expect(asked.at(-1)).toContain('--storage-driver=overlay');
  await (await findEngine(folder, onWithoutDocker(on(false)))).hasImage('x');
  expect(asked.at(-1)).toContain('--storage-driver=vfs');
  for (const line of asked.filter((each) => !each.endsWith('--version')))
    expect(line).toContain(`--root=${folder}/`);
});

function onWithoutDocker(probe: (command: string, args: readonly string[]) => Promise<string | undefined>) {
  return (command: string, args: readonly string[]) =>
    command === 'docker' ? Promise.resolve(undefined) : probe(command, args);
}

test('both engines get the same build', () => {
  for (const args of [dockerArgs(REQUEST), buildArgs(REQUEST)]) {
    expect(args).toEqual(
      expect.arrayContaining([
        '--file=/context/Dockerfile',
        '--tag=example.org/name:1',
        '--build-arg=VERSION=1.2.3',
        '--build-arg=SOURCE_DATE_EPOCH=1700000000',
        '--secret=id=npmrc,src=/secret/npmrc',
      ]),
    );
    expect(args.at(-1)).toBe('/context');
  }
  expect(buildArgs(REQUEST)).toContain('--timestamp=1700000000');
});

test('a platform is passed on, and local base images are not asked for at a registry', () => {
  const local = { ...REQUEST, platform: 'linux/arm64', pull: false };
  expect(dockerArgs(local)).toContain('--platform=linux/arm64');
  expect(buildArgs(local)).toContain('--platform=linux/arm64');
  expect(dockerArgs(local)).not.toContain('--pull');
  expect(buildArgs(local)).toContain('--pull=never');
});
