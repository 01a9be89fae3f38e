import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Environment, projectCache } from '../control-plane/folders.ts';
import { withLock } from '../control-plane/lock.ts';
import { startReaper } from '../control-plane/reaper.ts';
import { findEngine } from './engine.ts';
import type { Engine } from './engine-types.ts';
import { factArgs, type Facts, factsOf } from './facts.ts';
import { registryAccess } from './npm-config.ts';
import type { ImageOptions } from './options.ts';
import type { Supervision } from './process.ts';
import { ensureStandIns, type BaseImages } from './stand-ins.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What was built. */
export interface Built {
  tag: string;
  engine: Engine['name'];
  whereabouts: string;
  facts: Facts;
  base: string;
  builder: string;
}

/**
 * Builds the image, and its base images before it if stand-ins are asked for. What it needs meanwhile is removed afterwards, even after
 * a SIGKILL. One at a time for each user, since the images of all of them are in one place.
 */
export async function buildImage(
  options: ImageOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
  env: Environment = process.env,
): Promise<Built> {
  const folder = join(projectCache(env), 'image');
  const engine = await findEngine(folder);
  return withLock(folder, 'build', { progress, signal }, async () => {
    const temporary = await mkdtemp(join(folder, '.build-'));
    const reaper = startReaper(temporary);
    const supervision: Supervision = { progress, signal, guard: (groups) => reaper.guard(groups) };
    try {
      await engine.tidy();
      const facts = await factsOf(env);
      const bases = await build(engine, options, facts, temporary, supervision, env);
      if (options.archive !== undefined) await save(engine, options.tag, options.archive, supervision);
      return { tag: options.tag, engine: engine.name, whereabouts: engine.whereabouts, facts, ...bases };
    } finally {
      await reaper.close();
      // The image that had the tag before.
      await engine.tidy();
    }
  });
}

/** Builds, and returns the names of the base images. */
async function build(
  engine: Engine,
  { tag, platform, base, builder, standIns }: ImageOptions,
  facts: Facts,
  temporary: string,
  supervision: Supervision,
  env: Environment,
): Promise<BaseImages> {
  const makings = join(temporary, 'stand-ins');
  if (standIns) await mkdir(makings);
  const bases = standIns ? await ensureStandIns(engine, makings, supervision) : { base, builder };
  await rm(makings, { recursive: true, force: true });
  await engine.build(
    {
      title: 'Building the image',
      context: ROOT,
      dockerfile: join(ROOT, 'Dockerfile'),
      tag,
      ...(platform === undefined ? {} : { platform }),
      args: { BASE: bases.base, BUILDER: bases.builder, ...factArgs(facts) },
      secrets: await secretFiles(temporary, env),
      created: facts.created,
      pull: Object.values(bases).some((name) => !name.startsWith('localhost/')),
      temporary,
    },
    supervision,
  );
  return bases;
}

/** Files that only the build sees, by id. They may have a token in them. */
async function secretFiles(folder: string, env: Environment): Promise<Record<string, string>> {
  const { npmrc, ca } = await registryAccess(env);
  const files = Object.entries({ npmrc, ca }).flatMap(([id, text]) =>
    text === undefined ? [] : [{ id, text, file: join(folder, id) }],
  );
  for (const { file, text } of files) await writeFile(file, text, { mode: 0o600 });
  return Object.fromEntries(files.map(({ id, file }) => [id, file]));
}

/** Writes the archive. It appears only when it is whole. */
async function save(engine: Engine, tag: string, archive: string, supervision: Supervision): Promise<void> {
  await mkdir(dirname(archive), { recursive: true });
  const unfinished = `${archive}.unfinished`;
  await rm(unfinished, { force: true });
  try {
    await engine.save(tag, unfinished, supervision);
    await rename(unfinished, archive);
  } finally {
    await rm(unfinished, { force: true });
  }
}
