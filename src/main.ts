import { endProcess } from './operator/process/end-process.ts';
import { nodeProblem } from './operator/process/node-version.ts';
import { stopOnSignals } from './operator/process/stop.ts';

/**
 * Nothing but this is loaded before signals are followed and Node is known to be the right one: in a container the first process gets
 * no signal that it does not follow, and an older Node fails at the first module that it cannot load.
 */
const problem = nodeProblem(process.versions.node);
if (problem === undefined) {
  const stop = stopOnSignals();
  const { main } = await import('./operator/main.ts');
  await endProcess(await main(process.argv.slice(2), process.env, stop));
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
