import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { cachedHelm, ensureHelm, explain } from '../control-plane/index.ts';
import { ROOT, type Stale, staleFiles } from './files.ts';

/**
 * Writes what is generated for the chart (values.yaml, the CRDs in it, the table of docs/install.md), and from it (the manifests in
 * deploy/). With --check it writes nothing, and exits with 1 if a file is out of date. If Helm has not been built yet, that check
 * leaves out the manifests, which the integration tests compare too.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  if (values.check) {
    const stale = await staleFiles(await cachedHelm());
    for (const path of stale.keys())
      process.stderr.write(`${path} does not match its source: run "npm run generate"\n`);
    return stale.size > 0 ? 1 : 0;
  }
  const helm = await ensureHelm({ progress: (line) => process.stderr.write(`${line}\n`) });
  // The chart must be whole before it is rendered.
  const count = write(await staleFiles(undefined)) + write(await staleFiles(helm));
  process.stdout.write(`${count} files written or removed\n`);
  return 0;
}

function write(stale: Stale): number {
  for (const [path, text] of stale) {
    const file = join(ROOT, path);
    mkdirSync(dirname(file), { recursive: true });
    if (text === undefined) rmSync(file);
    else writeFileSync(file, text);
  }
  return stale.size;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
