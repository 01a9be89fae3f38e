import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The chart's folder. */
export const CHART = fileURLToPath(new URL('../../deploy/helm/', import.meta.url));

/** The release that the plain manifests are made as. Its namespace has the same name. */
export const RELEASE = 'tinycert-operator';

/** Values as in a values file. */
export type Values = Readonly<Record<string, unknown>>;

/** What Helm printed when it failed. */
export class HelmError extends Error {}

/** The chart's manifests as Helm renders them, without a cluster. Rejects with a `HelmError` if the values are refused. */
export function render(
  helm: string,
  values: Values = {},
  options: { release?: string; namespace?: string } = {},
): Promise<string> {
  const { release = RELEASE, namespace = RELEASE } = options;
  return runHelm(helm, ['template', release, CHART, `--namespace=${namespace}`, '--values=-'], {
    input: JSON.stringify(values),
  });
}

/** Runs Helm and resolves with its output. */
export function runHelm(
  helm: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    // Of the environment only what a program needs: a user's Helm settings must not change what is rendered.
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(helm, args, { env: { PATH, HOME, ...options.env } });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(output) : reject(new HelmError(errors.trim()))));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
