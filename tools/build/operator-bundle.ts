import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { version } from '../../src/operator/version.ts';
import { bundledPackages, type Lock, missingAtRunTime, OPTIONAL_MODULES } from './bundled-packages.ts';
import { isLicenseFile, type LicenseFile, notices } from './notices.ts';
import { billOfMaterials, type Product } from './sbom.ts';
import { sourceDate } from './source-date.ts';

/** The files beside the bundle that say what is in it. */
export const BILL_OF_MATERIALS = 'operator.spdx.json';
export const NOTICES = 'THIRD-PARTY-LICENSES.txt';

/**
 * Builds the operator as a small file, which checks Node and follows signals before it loads the rest from chunks beside it. What is
 * rarely needed (OIDC of kubeconfigs) has chunks of its own. Returns the bytes of JavaScript.
 */
export async function buildOperator(outdir: string, failpoints: boolean): Promise<number> {
  for (const name of ['operator.js', 'chunks', BILL_OF_MATERIALS, NOTICES])
    rmSync(join(outdir, name), { force: true, recursive: true });
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
    external: [...OPTIONAL_MODULES],
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
  const missing = missingAtRunTime(metafile, isBuiltin);
  if (missing.length > 0)
    throw new Error(`The bundle imports what the image does not have: ${missing.join(', ')}.`);
  describe(outdir, metafile);
  return Object.entries(metafile.outputs).reduce(
    (sum, [file, { bytes }]) => sum + (file.endsWith('.js') ? bytes : 0),
    0,
  );
}

/** Writes the bill of materials and the licenses. */
function describe(outdir: string, metafile: Metafile): void {
  const { name, license } = readJson('package.json') as Product;
  const packages = bundledPackages(
    metafile,
    readJson('package-lock.json') as Lock,
    (folder) => readJson(join(folder, 'package.json')) as object,
  );
  const bill = billOfMaterials({ name, version, license }, packages, sourceDate(process.env, commitTime));
  writeFileSync(join(outdir, BILL_OF_MATERIALS), `${JSON.stringify(bill, null, 2)}\n`);
  writeFileSync(join(outdir, NOTICES), notices(name, packages, licenseFiles));
}

function licenseFiles(folder: string): LicenseFile[] {
  return readdirSync(folder)
    .filter(isLicenseFile)
    .toSorted()
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Seconds since the epoch, as git prints them; undefined without git or outside of a checkout. */
function commitTime(): string | undefined {
  try {
    return execFileSync('git', ['log', '-1', '--format=%ct'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return undefined;
  }
}
