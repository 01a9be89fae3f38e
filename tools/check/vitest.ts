import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How many tests of a kind ended how. A skipped test counts as failed: nothing here may be left out. */
export interface Count {
  passed: number;
  failed: number;
}

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  success: boolean;
}

/** Runs one vitest project with its output shown, and counts from its JSON report. */
export async function runVitest(project: string, quiet = false): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), 'tinycert-report-'));
  const file = join(folder, 'report.json');
  try {
    const reporters = [quiet ? '--reporter=dot' : '--reporter=default', '--reporter=json'];
    const args = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project',
      project,
      ...reporters,
      `--outputFile=${file}`,
    ];
    const code = await exitCode(args);
    return count(read(file), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function exitCode(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function read(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}

/** A run that failed outside any test (a setup, a file that does not load) must not look green. */
export function count(report: Report | undefined, code: number): Count {
  if (!report) return { passed: 0, failed: 1 };
  const failed = report.numFailedTests + report.numPendingTests + report.numTodoTests;
  const green = code === 0 && report.success && report.numPassedTests > 0;
  return { passed: report.numPassedTests, failed: failed === 0 && !green ? 1 : failed };
}
