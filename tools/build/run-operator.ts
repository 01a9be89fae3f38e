/** `npm run operator -- FLAGS`: runs the operator of this checkout in this process, on the Node that npm ci has installed. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isBundleOutdated } from './outdated.ts';

const bundle = new URL('../../dist/operator.js', import.meta.url);
if (isBundleOutdated()) {
  console.error('dist/operator.js is missing or older than its sources: building it.');
  const { status } = spawnSync(process.execPath, ['tools/build/build.ts', '--operator'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(1);
}
await import(bundle.href);
