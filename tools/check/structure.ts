import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { importsOf } from './imports.ts';

/** The most source files, tests aside, that one folder of `src` holds. With more it is split by subject. */
export const MOST_FILES = 20;

/**
 * Every circle of imports between these files, tests aside and type imports included, as its files in order. Two files that
 * need each other are one, or lack a third with what both need.
 */
export function circles(files: readonly string[], read = readText): string[] {
  const sources = files.filter((file) => !isTest(file));
  const known = new Set(sources);
  const graph = new Map(
    sources.map((file) => [
      file,
      importsOf(read(file))
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => normalize(join(dirname(file), specifier)))
        .filter((target) => known.has(target)),
    ]),
  );
  return stronglyConnected(graph)
    .filter((group) => group.length > 1)
    .map((group) => `circle of imports: ${group.sort().join(', ')}`);
}

/** Every folder of `src` with more source files than `MOST_FILES`. */
export function crowdedFolders(files: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const file of files)
    if (file.startsWith('src/') && !isTest(file))
      counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > MOST_FILES)
    .map(([folder, count]) => `${folder}: ${count} source files, at most ${MOST_FILES}`);
}

function isTest(file: string): boolean {
  return file.endsWith('.test.ts');
}

function readText(file: string): string {
  return readFileSync(file, 'utf8');
}

/** The strongly connected components of a graph, by Tarjan's algorithm (SIAM J. Comput. 1, 1972). */
function stronglyConnected(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const onPath = new Set<string>();
  const groups: string[][] = [];

  const visit = (node: string): void => {
    order.set(node, order.size);
    lowest.set(node, order.size - 1);
    path.push(node);
    onPath.add(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (onPath.has(next)) lowest.set(node, Math.min(lowest.get(node) ?? 0, lowest.get(next) ?? 0));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const group = path.splice(path.indexOf(node));
    for (const member of group) onPath.delete(member);
    groups.push(group);
  };

  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return groups;
}
