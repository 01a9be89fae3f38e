import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What became of a write of the journal. */
export const JOURNAL_OUTCOMES = ['written', 'changed', 'missing', 'refused', 'unknown'] as const;

/** The journal's contents, read at each scrape. */
export interface JournalReading {
  entries: number;
  records: number;
  /** Resources that wait for room. */
  waiting: number;
}

/** The metrics of the journal of attempts. */
export interface JournalMetrics {
  /** Sets the source that is read at each scrape. */
  attach(read: () => JournalReading): void;
  /** A write has ended, with so many entries and removals. A takeover has none. */
  wrote(outcome: (typeof JOURNAL_OUTCOMES)[number], groupSize: number): void;
}

/** Registers the metrics of the journal. */
export function createJournalMetrics(registry: Registry): JournalMetrics {
  const registers = [registry];
  let reading = (): JournalReading => ({ entries: 0, records: 0, waiting: 0 });
  const gauge = (name: string, help: string, field: keyof JournalReading): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(reading()[field]);
      },
    });
  gauge('tinycert_operator_journal_entries', 'Open attempts in the journal.', 'entries');
  gauge('tinycert_operator_journal_records', 'Records of what was given up, in the journal.', 'records');
  gauge('tinycert_operator_journal_waiting', 'Resources that wait for room in the journal.', 'waiting');
  const writes = new Counter({
    name: 'tinycert_operator_journal_writes_total',
    help: 'Writes of the journal, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of JOURNAL_OUTCOMES) writes.inc({ outcome }, 0);
  const groups = new Histogram({
    name: 'tinycert_operator_journal_group_size',
    help: 'Entries and removals in one write of the journal.',
    registers,
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  });
  return {
    attach(read) {
      reading = read;
    },
    wrote(outcome, groupSize) {
      writes.inc({ outcome });
      if (groupSize > 0) groups.observe(groupSize);
    },
  };
}
