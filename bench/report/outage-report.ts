/** Turns measured outages into the figures that are shown. Pure. */
import { median, rounded, spread } from './statistics.ts';

/** What was measured of one outage and its end. */
export interface OutageRound {
  certificates: number;
  /** From the operator's start to the correction of the credentials. */
  minutesOfOutage: number;
  /** All calls to the CA during the outage. */
  callsDuringOutage: number;
  /** All writes to the API server during the outage, except to Leases. */
  writesDuringOutage: number;
  /** From sending the correct credentials until a watch shows the first certificate Ready. */
  secondsToFirstReady: number;
  /** The same for the last. */
  secondsToAllReady: number;
  /** From the correction until all were Ready. */
  callsAfter: number;
  writesAfter: number;
  conflictsAfter: number;
  /** Milliseconds of CPU from the correction until all were Ready; `ca` is the dev server, `bench` the watch. */
  cpuMs: { operator: number; apiServer: number; etcd: number; ca: number; bench: number };
  boughtTwice: number;
}

/** What `--json` prints: medians of the rounds unless stated. */
export interface OutageSummary {
  certificates: number;
  rounds: number;
  /** The most of any round, since it is a limit. */
  callsDuringOutagePerMinute: number;
  /** The most of any round. */
  writesDuringOutagePerCertificate: number;
  secondsToFirstReady: number;
  secondsToAllReady: number;
  /** Of `secondsToAllReady`. */
  spread: [min: number, max: number];
  /** Of all rounds. */
  boughtTwice: number;
}

/** Throws a RangeError without rounds. */
export function summarizeOutage(rounds: readonly OutageRound[]): OutageSummary {
  const all = rounds.map(({ secondsToAllReady }) => secondsToAllReady);
  const [min, max] = spread(all);
  return {
    certificates: rounds[0]?.certificates ?? 0,
    rounds: rounds.length,
    callsDuringOutagePerMinute: rounded(Math.max(...rounds.map(callsAMinute)), 2),
    writesDuringOutagePerCertificate: rounded(
      Math.max(...rounds.map((round) => round.writesDuringOutage / round.certificates)),
      3,
    ),
    secondsToFirstReady: rounded(median(rounds.map(({ secondsToFirstReady }) => secondsToFirstReady)), 2),
    secondsToAllReady: rounded(median(all), 2),
    spread: [rounded(min, 2), rounded(max, 2)],
    boughtTwice: rounds.reduce((sum, { boughtTwice }) => sum + boughtTwice, 0),
  };
}

function callsAMinute({ callsDuringOutage, minutesOfOutage }: OutageRound): number {
  return callsDuringOutage / minutesOfOutage;
}

interface Row {
  name: string;
  pick: (round: OutageRound) => number;
  digits: number;
  meaning: string;
}

const ROWS: readonly (Row | string)[] = [
  'While the credentials are wrong',
  { name: 'CA calls a minute', pick: callsAMinute, digits: 2, meaning: 'of the whole account; under 1' },
  {
    name: 'writes a certificate',
    pick: ({ writesDuringOutage, certificates }) => writesDuringOutage / certificates,
    digits: 3,
    meaning: "that succeeded, the issuer's included; 1",
  },
  'From the correction on',
  {
    name: 'seconds to the first',
    pick: ({ secondsToFirstReady }) => secondsToFirstReady,
    digits: 2,
    meaning: 'until a watch shows one Ready',
  },
  {
    name: 'seconds to all',
    pick: ({ secondsToAllReady }) => secondsToAllReady,
    digits: 1,
    meaning: 'until it shows the last; 60 or less for 1000',
  },
  {
    name: 'certificates a second',
    pick: ({ certificates, secondsToAllReady }) => certificates / secondsToAllReady,
    digits: 1,
    meaning: 'overall',
  },
  {
    name: 'CA calls a certificate',
    pick: ({ callsAfter, certificates }) => callsAfter / certificates,
    digits: 3,
    meaning: 'three, and the login',
  },
  {
    name: 'writes a certificate',
    pick: ({ writesAfter, certificates }) => writesAfter / certificates,
    digits: 3,
    meaning: "three, and the issuer's",
  },
  {
    name: 'conflicts a certificate',
    pick: ({ conflictsAfter, certificates }) => conflictsAfter / certificates,
    digits: 3,
    meaning: 'writes refused with 409; under 0.05',
  },
  cpuRow('operator', 'milliseconds of CPU a certificate'),
  cpuRow('apiServer', 'kube-apiserver'),
  cpuRow('etcd', 'etcd'),
  cpuRow('ca', 'the dev server'),
  cpuRow('bench', 'the watch'),
  { name: 'bought twice', pick: ({ boughtTwice }) => boughtTwice, digits: 0, meaning: 'at the CA; 0' },
];

function cpuRow(part: keyof OutageRound['cpuMs'], meaning: string): Row {
  return {
    name: `CPU ms, ${part}`,
    pick: ({ cpuMs, certificates }) => cpuMs[part] / certificates,
    digits: 2,
    meaning,
  };
}

/** The table for people. Throws a RangeError without rounds. */
export function outageTable(rounds: readonly OutageRound[]): string {
  const { certificates, rounds: count } = summarizeOutage(rounds);
  const title = `${certificates} certificates, ${count} outages: median, least and greatest`;
  return [title, ...ROWS.map((row) => (typeof row === 'string' ? `\n${row}` : rowText(row, rounds)))].join(
    '\n',
  );
}

function rowText({ name, pick, digits, meaning }: Row, rounds: readonly OutageRound[]): string {
  const values = rounds.map(pick);
  const [min, max] = spread(values);
  const range = `${min.toFixed(digits)} to ${max.toFixed(digits)}`;
  return `  ${name.padEnd(26)}${median(values).toFixed(digits).padStart(8)}   ${range.padEnd(18)} ${meaning}`;
}
