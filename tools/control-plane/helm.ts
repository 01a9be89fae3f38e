import type { BinaryOptions } from './binaries.ts';
import { buildHelm } from './build.ts';
import { cachedTool, ensureTool } from './built-tool.ts';
import { type Environment, helmFolder } from './folders.ts';

const HELM = { name: 'helm', folder: (root: string) => helmFolder(root) };

/** The path of Helm if it was built before; undefined otherwise. */
export function cachedHelm(env: Environment = process.env): Promise<string | undefined> {
  return cachedTool(HELM, env);
}

/** Finds Helm in the cache folder, or builds it there (about a minute, once). @throws ControlPlaneError `BuildFailed`. */
export function ensureHelm(
  options: Omit<BinaryOptions, 'kubectl'> = {},
  build: typeof buildHelm = buildHelm,
): Promise<string> {
  return ensureTool({ ...HELM, build }, options);
}
