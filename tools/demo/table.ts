import type { KubeClient } from '../../src/kube/client.ts';

interface Table {
  columnDefinitions: { name: string; priority: number }[];
  rows: { cells: unknown[] }[];
}

/** The output of `kubectl get` for a path of the API, from the API server's own table. */
export async function kubectlGet(kube: KubeClient, path: string): Promise<string> {
  const table = await kube.transport.request<Table>({
    method: 'GET',
    path,
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  });
  const shown = table.columnDefinitions
    .map(({ priority }, index) => ({ index, priority }))
    .filter(({ priority }) => priority === 0);
  const header = shown.map(({ index }) => table.columnDefinitions[index]?.name.toUpperCase() ?? '');
  const rows = table.rows.map(({ cells }) => shown.map(({ index }) => text(cells[index])));
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

function text(cell: unknown): string {
  return typeof cell === 'string' || typeof cell === 'number' ? String(cell) : '<none>';
}
