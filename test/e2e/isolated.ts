import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  await writeFile(file, JSON.stringify(orders));
  const inside = await isolate(premises, [INSIDE, file], {
    stderrFile: join(premises.folder, 'inside.log'),
    onLine(line) {
      const event = eventOf(line);
      report(event);
      if (event.kind === 'kept') void explainKept(inside.pid, orders, event.kubeconfig, report);
    },
  });
  const aborted = new Promise<void>((resolve) => {
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([inside.exited, aborted]);
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
