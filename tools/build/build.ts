import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { version } from '../../src/operator/version.ts';
import { buildOperator } from './operator-bundle.ts';

const { values } = parseArgs({
  options: {
    library: { type: 'boolean', default: false },
    operator: { type: 'boolean', default: false },
    // The operator with failpoints, so tests can kill and freeze it at a step; never shipped.
    failpoints: { type: 'boolean', default: false },
  },
});
/** One of the options, or by default what is shipped. */
const isAll = !values.library && !values.operator && !values.failpoints;

/** npm prints JSON to standard output when it packs the library. */
const say = values.library ? console.error : console.log;

/** Builds the clients as JavaScript with types, which `import 'tinycert-operator/tinycert'` and `/cacert` load. */
function buildLibrary(): void {
  for (const folder of ['tinycert', 'cacert', 'http', 'lib'])
    rmSync(`dist/${folder}`, { recursive: true, force: true });
  const { status } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.library.json'], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
  say("The clients: dist/tinycert and dist/cacert, for import 'tinycert-operator/tinycert' and '/cacert'.");
}

/** Builds the operator, with its bill of materials and licenses beside it. */
async function operator(outdir: string, failpoints: boolean): Promise<void> {
  const megabytes = ((await buildOperator(outdir, failpoints)) / 1e6).toFixed(1);
  const use = failpoints ? 'for tests only' : 'run it with npm run operator -- --help';
  say(`The operator ${version}: ${outdir}/operator.js with ${outdir}/chunks, ${megabytes} MB; ${use}.`);
}

if (isAll || values.library) buildLibrary();
if (isAll || values.operator) await operator('dist', false);
if (values.failpoints) await operator('dist/failpoints', true);
