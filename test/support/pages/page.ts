import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** One section of a page. */
export interface Section {
  heading: string;
  /** The commands in it, in order: every line of its indented blocks is one. */
  commands: string[];
}

/** The sections of a page in docs, with the commands that it tells its readers to run. */
export function sectionsOf(page: string): Section[] {
  const text = readFileSync(join(ROOT, 'docs', page), 'utf8');
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => ({
      heading: section.slice(0, section.indexOf('\n')),
      commands: section.split('\n').flatMap((line) => (/^ {4,}\S/.test(line) ? [line.trim()] : [])),
    }));
}

/** Runs commands as a reader of the pages does: in the folder of the release, with kubectl and helm. */
export class Reader {
  readonly #env: Record<string, string>;

  /** `tools`: the paths of the programs by name. Call it in a test, whose end removes what it needs. */
  constructor(kubeconfig: string, tools: Record<string, string>) {
    const home = mkdtempSync(join(tmpdir(), 'reader-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    for (const [name, path] of Object.entries(tools)) symlinkSync(path, join(home, name));
    this.#env = { HOME: home, KUBECONFIG: kubeconfig, PATH: `${home}:/usr/bin:/bin` };
  }

  /** Runs a command in a shell and resolves with its output. Rejects with what it printed if it fails. */
  run(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const shell = ['-o', 'pipefail', '-ec', command];
      execFile('bash', shell, { cwd: ROOT, env: this.#env, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
        if (error) reject(new Error(`${command}\n${stdout}${stderr}`, { cause: error }));
        else resolve(stdout);
      });
    });
  }

  async runAll(commands: readonly string[]): Promise<string[]> {
    const outputs: string[] = [];
    for (const command of commands) outputs.push(await this.run(command));
    return outputs;
  }
}
