/** `npm run operator -- FLAGS`: runs the operator of this checkout in this process, on the Node that npm ci has installed. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bundle = new URL('../../dist/operator.js', import.meta.url);
if (!existsSync(bundle)) {
  console.error('dist/operator.js is not there yet: building it.');
  const { status } = spawnSync(process.execPath, ['tools/build/build.ts', '--operator'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(1);
}
await import(bundle.href);
