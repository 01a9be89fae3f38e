/** The first process of the namespaces of a run: starts the node and runs the tests. It is started by `main.ts`, and ends with SIGKILL. */
import { readFile } from 'node:fs/promises';
import { explain } from '../../tools/control-plane/index.ts';
import { startNodeCluster } from './clusters/node.ts';
import type { Orders } from './isolated.ts';
import type { Event } from './result.ts';
import { runTrials } from './run.ts';

function report(event: Event): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

async function main(): Promise<number> {
  try {
    const { folder, name, supplies, only, keep } = JSON.parse(
      await readFile(process.argv[2] ?? '', 'utf8'),
    ) as Orders;
    const say = (line: string): void => report({ kind: 'progress', line });
    const startedAt = performance.now();
    const cluster = await startNodeCluster({ folder, name }, supplies.kubectl, supplies.pauseArchive, say);
    const seconds = (performance.now() - startedAt) / 1000;
    report({ kind: 'versions', versions: cluster.versions });
    report({ kind: 'phase', phase: { name: 'cluster', seconds: Number(seconds.toFixed(1)) } });
    if (only !== undefined) await runTrials(cluster, supplies, only, folder, report);
    if (keep) {
      report({ kind: 'kept', kubeconfig: cluster.kubeconfig });
      throw await cluster.died;
    }
    return 0;
  } catch (error) {
    report({ kind: 'failed', error: explain(error) });
    return 1;
  }
}

process.exit(await main());
