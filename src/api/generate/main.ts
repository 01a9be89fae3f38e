import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { type Crd, crds } from './crds.ts';

/** Writes crds/*.yaml from the schemas. With --check it writes nothing and exits with 1 if a file is out of date. */

const folder = new URL('../../../crds/', import.meta.url);

function render(crd: Crd): string {
  const yaml = stringify(crd, { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false });
  return `# Generated from src/api by "npm run generate"; edits here are lost.\n${yaml}`;
}

function readOrEmpty(file: URL): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const files = crds().map((crd) => ({
  file: new URL(`${crd.metadata.name}.yaml`, folder),
  text: render(crd),
}));
const stale = files.filter(({ file, text }) => readOrEmpty(file) !== text);

if (values.check) {
  for (const { file } of stale)
    process.stderr.write(`${fileURLToPath(file)} does not match src/api: run "npm run generate"\n`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  mkdirSync(folder, { recursive: true });
  for (const { file, text } of stale) writeFileSync(file, text);
  process.stdout.write(`${stale.length} of ${files.length} files written\n`);
}
