import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { imports, onlyIn, socketModules, sockets } from './import-table.ts';

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s*'([^']+)'/g;

/** Every import of `files` that the table does not allow, as `file: reason`. Tests may also import test/support. */
export function forbiddenImports(files: readonly string[], read = readText): string[] {
  return files.flatMap((file) =>
    importsOf(read(file)).flatMap((specifier) => {
      const reason = specifier.startsWith('.') ? checkOwn(file, specifier) : checkPackage(file, specifier);
      return reason === undefined ? [] : [`${file}: ${reason}`];
    }),
  );
}

function readText(file: string): string {
  return readFileSync(file, 'utf8');
}

/** The specifiers of all imports and re-exports of a source text, type imports included. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function checkOwn(file: string, specifier: string): string | undefined {
  if (!file.startsWith('src/')) return undefined;
  const target = normalize(join(dirname(file), specifier));
  const isTest = file.endsWith('.test.ts');
  if (!target.startsWith('src/')) {
    const allowed = isTest && target.startsWith('test/support/');
    return allowed ? undefined : `src may not import ${target}`;
  }
  const row = Object.keys(imports).find((place) => within(file, place));
  if (row === undefined) return 'stands in no folder of the import table';
  const allowed = [row, ...(imports[row] ?? [])];
  return allowed.some((place) => within(target, place)) ? undefined : `${row} may not import ${target}`;
}

function checkPackage(file: string, specifier: string): string | undefined {
  const isTest = file.endsWith('.test.ts');
  if (socketModules.includes(specifier) && !isTest && !sockets.some((place) => within(file, place))) {
    return `only ${sockets.join(', ')} open sockets, so it may not import ${specifier}`;
  }
  const homes = onlyIn[specifier];
  if (file.startsWith('src/') && !isTest && homes && !homes.some((place) => within(file, place))) {
    return `${specifier} is imported by ${homes.join(', ')} only`;
  }
  return undefined;
}

function within(file: string, place: string): boolean {
  return file === place || file.startsWith(`${place}/`);
}
