import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { hasEnded, tied } from './children.ts';
import { BenchError } from '../errors.ts';
import type { JournalLine } from '../measure/purchases.ts';
import { RawHttp } from '../floor/raw-http.ts';

interface Ready {
  endpoint: string;
  caFile: string;
  email: string;
  passphrase: string;
  apiKey: string;
  controlUrl: string;
}

/** The CA: the dev server without latency, in a process of its own. Its keys are made ahead and reused. */
export class DevServerProcess {
  readonly endpoint: string;
  readonly credentials: { email: string; passphrase: string; apiKey: string };
  /** PEM to trust. */
  readonly ca: string;
  readonly #child: ChildProcess;
  readonly #control: RawHttp;

  private constructor(child: ChildProcess, ready: Ready, ca: string) {
    const { endpoint, email, passphrase, apiKey, controlUrl } = ready;
    this.#child = child;
    this.endpoint = endpoint;
    this.credentials = { email, passphrase, apiKey };
    this.ca = ca;
    this.#control = new RawHttp({ origin: controlUrl, connections: 1 });
  }

  static async start(): Promise<DevServerProcess> {
    const main = new URL('../../tools/dev-server/main.ts', import.meta.url);
    const args = ['--json', '--key-pool', '16', '--key-pool-reuse', '--other-customers', '0'];
    const child = tied(
      spawn(process.execPath, [fileURLToPath(main), ...args], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    const lines = createInterface({ input: child.stdout });
    try {
      const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string?];
      if (line === undefined) throw new BenchError('The dev server did not start.');
      const ready = JSON.parse(line) as Ready;
      return new DevServerProcess(child, ready, await readFile(ready.caFile, 'utf8'));
    } catch (error) {
      child.kill();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The calls since `forgetJournal`. */
  async journal(): Promise<JournalLine[]> {
    const answer = await this.#control.send('GET', '/journal');
    return JSON.parse(answer.toString('utf8')) as JournalLine[];
  }

  async forgetJournal(): Promise<void> {
    await this.#control.send('DELETE', '/journal');
  }

  async stop(): Promise<void> {
    await this.#control.close();
    if (hasEnded(this.#child)) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }
}
