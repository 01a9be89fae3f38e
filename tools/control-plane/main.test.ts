import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, 'main.ts');

interface Outcome {
  code: number | string;
  stdout: string;
  stderr: string;
}

/** Runs the command with an empty PATH and an empty cache. */
function command(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? 'killed'), stdout, stderr });
    });
  });
}

test('--help names every option and the sources of the binaries', async () => {
  const { code, stdout } = await command(['--help']);
  expect(code).toBe(0);
  for (const word of [
    '--json',
    '--audit-log',
    '--api-server-arg',
    '--keep-data',
    '--exit-with-stdin',
    '--kubectl',
    '--prepare',
    'KUBEBUILDER_ASSETS',
    'XDG_CACHE_HOME',
  ]) {
    expect(stdout).toContain(word);
  }
});

test('an unknown option is refused before anything starts', async () => {
  const { code, stderr } = await command(['--port=1']);
  expect(code).toBe(2);
  expect(stderr).toContain("Unknown option '--port'");
  expect(stderr).toContain('See --help.');
});

test('the error names a wrong KUBEBUILDER_ASSETS', async () => {
  const { code, stdout, stderr } = await command(['--json'], { KUBEBUILDER_ASSETS: '/nowhere' });
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain('/nowhere lacks etcd and kube-apiserver.');
});
