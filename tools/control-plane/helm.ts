import { join } from 'node:path';
import { buildHelm } from './build.ts';
import { isExecutable } from './executable.ts';
import { cacheRoot, type Environment, helmFolder } from './folders.ts';
import { withLock } from './lock.ts';
import type { BinaryOptions } from './binaries.ts';

/** The path of Helm if it was built before; undefined otherwise. */
export async function cachedHelm(env: Environment = process.env): Promise<string | undefined> {
  const helm = join(helmFolder(cacheRoot(env)), 'helm');
  return (await isExecutable(helm)) ? helm : undefined;
}

/**
 * Finds Helm in the cache folder, or builds it there from its pinned Go module (about a minute, once). No other Helm is used, since
 * what is rendered must not depend on what a machine has. @throws ControlPlaneError `BuildFailed` with what to do in `details`.
 */
export async function ensureHelm(
  options: Omit<BinaryOptions, 'kubectl'> = {},
  build: typeof buildHelm = buildHelm,
): Promise<string> {
  const env = options.env ?? process.env;
  const root = cacheRoot(env);
  const cached = await cachedHelm(env);
  if (cached !== undefined) return cached;
  return withLock(root, 'helm', options, async () => {
    // Another process may have built it while this one waited.
    const now = await cachedHelm(env);
    if (now !== undefined) return now;
    await build(helmFolder(root), options);
    return join(helmFolder(root), 'helm');
  });
}
