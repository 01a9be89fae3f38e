import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { version } from '../../src/operator/version.ts';

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

/**
 * Builds the operator as a small file, which checks Node and follows signals before it loads the rest from chunks beside it. What is
 * rarely needed (OIDC of kubeconfigs) has chunks of its own.
 */
async function buildOperator(outdir: string, failpoints: boolean): Promise<void> {
  rmSync(`${outdir}/operator.js`, { force: true });
  rmSync(`${outdir}/chunks`, { recursive: true, force: true });
  const { metafile } = await build({
    metafile: true,
    entryPoints: { operator: 'src/main.ts' },
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: true,
    sourcesContent: false,
    minifySyntax: true,
    legalComments: 'linked',
    logLevel: 'warning',
    define: { FAILPOINTS: String(failpoints) },
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  const sizes = Object.entries(metafile.outputs).map(([file, { bytes }]) =>
    file.endsWith('.js') ? bytes : 0,
  );
  const megabytes = (sizes.reduce((sum, bytes) => sum + bytes, 0) / 1e6).toFixed(1);
  const use = failpoints ? 'for tests only' : 'run it with npm run operator -- --help';
  say(`The operator ${version}: ${outdir}/operator.js with ${outdir}/chunks, ${megabytes} MB; ${use}.`);
}

if (isAll || values.library) buildLibrary();
if (isAll || values.operator) await buildOperator('dist', false);
if (values.failpoints) await buildOperator('dist/failpoints', true);
