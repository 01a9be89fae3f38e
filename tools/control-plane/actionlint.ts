import type { BinaryOptions } from './binaries.ts';
import { buildActionlint } from './build.ts';
import { cachedTool, ensureTool } from './built-tool.ts';
import { actionlintFolder, type Environment } from './folders.ts';

const ACTIONLINT = { name: 'actionlint', folder: (root: string) => actionlintFolder(root) };

/** The path of actionlint if it was built before; undefined otherwise. */
export function cachedActionlint(env: Environment = process.env): Promise<string | undefined> {
  return cachedTool(ACTIONLINT, env);
}

/** Finds actionlint in the cache folder, or builds it there (some seconds, once). @throws ControlPlaneError `BuildFailed`. */
export function ensureActionlint(options: Omit<BinaryOptions, 'kubectl'> = {}): Promise<string> {
  return ensureTool({ ...ACTIONLINT, build: buildActionlint }, options);
}
