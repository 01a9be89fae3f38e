import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../../tools/control-plane/ports.ts';
import { version } from '../../src/operator/version.ts';

/** Whatever Node runs npm: a script uses the Node that npm ci has installed. */
function npm(...args: string[]): { status: number | null; stdout: string } {
  return spawnSync('npm', args, { encoding: 'utf8' });
}

test('npm run build says what it made, and npm run operator runs it', () => {
  const built = npm('run', 'build');
  expect(built.status).toBe(0);
  expect(built.stdout).toContain(
    "The clients: dist/tinycert and dist/cacert, for import 'tinycert-operator/tinycert' and '/cacert'.",
  );
  expect(built.stdout).toMatch(
    /The operator [0-9.]+: dist\/operator\.js with dist\/chunks, [0-9.]+ MB; run it with npm run operator -- --help\./,
  );

  const { status, stdout } = npm('run', '--silent', 'operator', '--', '--version');
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${version}\n` });
});

test('npm run operator builds it first where it is missing', async () => {
  await rm('dist/operator.js');
  const { status, stdout } = npm('run', '--silent', 'operator', '--', '--version');
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${version}\n` });
});

test('SIGTERM to npm run operator reaches the operator, which stops', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'npm-scripts-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const pipe = join(folder, 'pipe');
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  const [port = 0] = await freePorts(1);
  const flags = [
    `--kubeconfig=${pipe}`,
    '--metrics-bind-address=0',
    `--health-probe-bind-address=127.0.0.1:${port}`,
  ];
  const child = spawn('npm', ['run', '--silent', 'operator', '--', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const closed = once(child, 'close');
  while (!(await fetch(`http://127.0.0.1:${port}/livez`).catch(() => undefined))) await pause(20);

  child.kill('SIGTERM');

  expect(await closed).toEqual([0, null]);
  expect(output).toContain('Operator stopped');
});
