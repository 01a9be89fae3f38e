import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { slowExpressions } from './expressions.ts';
import { forbiddenImports } from './imports.ts';
import { circles, crowdedFolders } from './structure.ts';

export interface Step {
  name: string;
  /** Resolves with nothing when all is well, else with what to show. */
  run: () => Promise<string | undefined>;
}

const longest = 400;

/** What `npm run check` looks at, tests aside. */
export const steps: readonly Step[] = [
  { name: 'types', run: () => command('node_modules/.bin/tsc', ['--noEmit']) },
  { name: 'lint', run: () => command('node_modules/.bin/oxlint', ['--type-aware', '--deny-warnings', '.']) },
  { name: 'format', run: () => command('node_modules/.bin/oxfmt', ['--check', '.']) },
  { name: 'unused code', run: () => command('node_modules/.bin/knip', ['--no-progress']) },
  { name: 'imports', run: async () => list(forbiddenImports(sources())) },
  { name: 'expressions', run: async () => list(slowExpressions(sources())) },
  { name: 'circles of imports', run: async () => list(circles(sources())) },
  { name: 'folder size', run: async () => list(crowdedFolders(sources())) },
  { name: 'file length', run: async () => list(tooLong(sources())) },
  { name: 'CRDs', run: () => command(process.execPath, ['src/api/generate/main.ts', '--check']) },
  { name: 'chart', run: () => command(process.execPath, ['tools/chart/main.ts', '--check']) },
];

/** Runs a program and resolves with its output if it failed. */
export function command(program: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error) => resolve(`${program}: ${error.message}`));
    child.on('close', (code) => resolve(code === 0 ? undefined : output || `${program} exited with ${code}`));
  });
}

function sources(): string[] {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts']);
  return tracked
    .toString()
    .split('\n')
    .filter((file) => file !== '' && existsSync(file));
}

function tooLong(files: readonly string[]): string[] {
  return files
    .map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > longest)
    .map(({ file, lines }) => `${file}: ${lines} lines, at most ${longest}`);
}

function list(complaints: readonly string[]): string | undefined {
  return complaints.length === 0 ? undefined : complaints.join('\n');
}
