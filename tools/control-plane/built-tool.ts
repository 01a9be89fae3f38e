import { join } from 'node:path';
import type { BinaryOptions } from './binaries.ts';
import type { BuildOptions } from './build.ts';
import { isExecutable } from './executable.ts';
import { cacheRoot, type Environment } from './folders.ts';
import { withLock } from './lock.ts';

/** A program beside the control plane that is built from its pinned Go module, and kept in the cache folder. */
export interface BuiltTool {
  name: string;
  /** Its folder in the cache. */
  folder: (root: string) => string;
  build: (folder: string, options: BuildOptions) => Promise<void>;
}

/** The path of the program if it was built before; undefined otherwise. */
export async function cachedTool(
  { name, folder }: Pick<BuiltTool, 'name' | 'folder'>,
  env: Environment = process.env,
): Promise<string | undefined> {
  const file = join(folder(cacheRoot(env)), name);
  return (await isExecutable(file)) ? file : undefined;
}

/**
 * Finds the program in the cache folder, or builds it there. None of the machine's is used, since what is made or checked must not
 * depend on what a machine has. @throws ControlPlaneError `BuildFailed` with what to do in `details`.
 */
export async function ensureTool(
  tool: BuiltTool,
  options: Omit<BinaryOptions, 'kubectl'> = {},
): Promise<string> {
  const env = options.env ?? process.env;
  const root = cacheRoot(env);
  const cached = await cachedTool(tool, env);
  if (cached !== undefined) return cached;
  return withLock(root, tool.name, options, async () => {
    // Another process may have built it while this one waited.
    const now = await cachedTool(tool, env);
    if (now !== undefined) return now;
    await tool.build(tool.folder(root), options);
    return join(tool.folder(root), tool.name);
  });
}
