import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RECONCILE_RESULTS } from './controller.ts';
import { JOURNAL_OUTCOMES } from './journal.ts';
import {
  CACERT_OUTCOMES,
  ISSUANCE_OPERATIONS,
  ISSUANCE_OUTCOMES,
  REVOCATION_ACTIONS,
  REVOCATION_OUTCOMES,
  createMetrics,
} from './registry.ts';

/** The rows of the tables in docs/metrics.md, as cells. */
const rows = readFileSync('docs/metrics.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').slice(1, -1))
  .map((cells) => cells.map((cell) => cell.trim()));

/** What stands in backticks. */
function quoted(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
}

interface Metric {
  name: string;
  help: string;
  type: string;
  labelNames: string[];
}

function unitOf(name: string): string | undefined {
  if (/_seconds(?:_total)?$/.test(name)) return 'seconds';
  if (name.endsWith('_bytes')) return 'bytes';
  return name.endsWith('_total') ? 'count' : undefined;
}

test('docs/metrics.md lists every metric of the registry with its type, labels and meaning, and no other', () => {
  // prom-client's type of a metric leaves the labels out.
  const metrics = createMetrics().registry.getMetricsAsArray() as unknown as Metric[];
  const page = rows
    .filter((cells) => cells.length === 5)
    .map(([name, type, labels, , help]) => ({
      name: quoted(name)[0],
      type,
      labelNames: quoted(labels),
      help,
    }));
  const byName = (a: { name: string | undefined }, b: { name: string | undefined }): number =>
    (a.name ?? '') < (b.name ?? '') ? -1 : 1;

  expect(page.toSorted(byName)).toEqual(
    metrics.map(({ name, type, labelNames, help }) => ({ name, type, labelNames, help })).toSorted(byName),
  );
});

test('docs/metrics.md gives each metric the unit that its name ends in', () => {
  const units = rows
    .filter((cells) => cells.length === 5)
    .map(([name, , , unit]) => ({ metric: quoted(name)[0] ?? '', unit }));
  expect(units).toEqual(units.map(({ metric, unit }) => ({ metric, unit: unitOf(metric) ?? unit })));
});

test.each<[label: string, metric: string, values: readonly string[]]>([
  ['operation', 'tinycert_certificate_issuances_total', ISSUANCE_OPERATIONS],
  ['outcome', 'tinycert_certificate_issuances_total', ISSUANCE_OUTCOMES],
  ['status', 'tinycert_certificate_revocations_total', REVOCATION_ACTIONS],
  ['outcome', 'tinycert_certificate_revocations_total', REVOCATION_OUTCOMES],
  ['outcome', 'cacert_certificate_issuances_total', CACERT_OUTCOMES],
  ['outcome', 'tinycert_operator_journal_writes_total', JOURNAL_OUTCOMES],
  ['result', 'controller_runtime_reconcile_total', RECONCILE_RESULTS],
])('docs/metrics.md lists the values of the label %s of %s', (label, metric, values) => {
  const row = rows.find(([labels, of]) => quoted(labels).includes(label) && quoted(of).includes(metric));

  expect(quoted(row?.[2]).toSorted()).toEqual([...values].toSorted());
});
