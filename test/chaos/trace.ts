/** Records what a run has seen, for the investigation of a finding. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ca } from './ca.ts';
import { type RunClock, runNow } from './clock.ts';
import type { EtcdWitness } from './etcd.ts';
import { isJournal, readJournal } from './journal.ts';

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

/** Writes the CA's data at the end. */
export async function traceCa(ca: Ca, folder: string): Promise<void> {
  writeFileSync(join(folder, 'certificates.json'), JSON.stringify(await ca.certificates(), null, 1));
  writeFileSync(join(folder, 'journal.json'), JSON.stringify(await ca.journal(), null, 1));
}
