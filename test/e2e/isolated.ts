import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tailOf } from '../../tools/control-plane/daemon.ts';
import { isolate, type Premises } from '../../tools/node/isolation.ts';
import { eventOf, type Event } from './result.ts';
import type { Supplies } from './world/world.ts';

/** What the program in the namespaces is to do. */
export interface Orders {
  folder: string;
  name: string;
  supplies: Supplies;
  /** The tests to run, all if it is empty; undefined: none. */
  only: readonly string[] | undefined;
  /** Whether the cluster stays when they have ended. */
  keep: boolean;
}

const INSIDE = fileURLToPath(new URL('inside.ts', import.meta.url));

/** Runs it in namespaces of its own, until it ends or the signal comes. Whoever made the premises ends what still runs. */
export async function runIsolated(
  premises: Premises,
  orders: Orders,
  report: (event: Event) => void,
  signal?: AbortSignal,
): Promise<void> {
  const file = join(premises.folder, 'orders.json');
  const stderrFile = join(premises.folder, 'inside.log');
  await writeFile(file, JSON.stringify(orders));
  let hasFailed = false;
  const inside = await isolate(premises, [INSIDE, file], {
    stderrFile,
    onLine(line) {
      const event = eventOf(line);
      report(event);
      hasFailed ||= event.kind === 'failed';
      if (event.kind === 'kept') void explainKept(inside.pid, orders, event.kubeconfig, report);
    },
  });
  const aborted = new Promise<void>((resolve) => {
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
  const code = await Promise.race([inside.exited, aborted]);
  if (signal?.aborted !== true && code !== 0 && !hasFailed) {
    // It had no chance to say why: there are no namespaces for it, or it was killed.
    const lines = await tailOf(stderrFile);
    report({ kind: 'failed', error: ['The program in the namespaces has ended.', ...lines].join('\n    ') });
  }
}

/** Says how a person gets to the cluster, which is in a network of its own. */
async function explainKept(
  pid: number,
  { supplies }: Orders,
  kubeconfig: string,
  report: (event: Event) => void,
): Promise<void> {
  const first = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();
  const enter = `nsenter --target ${first} --net --mount --pid env KUBECONFIG=${kubeconfig}`;
  report({ kind: 'progress', line: 'The cluster stays until Ctrl-C. To use it, as root:' });
  report({ kind: 'progress', line: `${enter} ${supplies.kubectl} get pods --all-namespaces` });
}
