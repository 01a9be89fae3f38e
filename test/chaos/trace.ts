/** Records what a run has seen, for the investigation of a finding. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ca } from './ca.ts';
import type { CAcert } from './cacert/ca.ts';
import { type RunClock, runNow } from './clock.ts';
import type { EtcdWitness } from './etcd.ts';
import { isJournal, readJournal } from './witness/journal.ts';

const OURS = /^\/registry\/(tinycert-operator\.io\/|secrets\/(chaos|other)-|leases\/(chaos|other)-)/;

/** Writes every version of our objects to `versions.jsonl`, one per line, without private keys. */
export function traceVersions(etcd: EtcdWitness, clock: RunClock, folder: string): void {
  const file = join(folder, 'versions.jsonl');
  etcd.subscribe(({ key, revision, object }) => {
    if (!OURS.test(key)) return;
    const { data: _, ...shown } = object ?? {};
    const journal = isJournal(key) ? readJournal(object) : undefined;
    const at = new Date(runNow(clock)).toISOString();
    appendFileSync(file, `${JSON.stringify({ at, key, revision, object: object && shown, journal })}\n`);
  });
}

/** Writes a CA's data at the end. */
export async function traceCa(
  name: string,
  ca: Pick<Ca | CAcert, 'certificates' | 'journal'>,
  folder: string,
): Promise<void> {
  const write = (what: string, data: unknown): void =>
    writeFileSync(join(folder, `${what}-${name}.json`), JSON.stringify(data, null, 1));
  write('certificates', await ca.certificates());
  write('journal', await ca.journal());
}
