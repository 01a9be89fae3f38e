/** From measured rounds to the figures that are shown. Pure. */
import type { CpuTimes, OperatorRound, Round } from './rounds.ts';
import { median, pairRatios, percentile, rounded, spread } from './statistics.ts';

/** All that was measured. The rounds of one index were run one after the other and make a pair. */
export interface Measurements {
  certificates: number;
  concurrency: number;
  floor: readonly Round[];
  floorWithCa: readonly Round[];
  operator: readonly OperatorRound[];
  /** Peak of the operator's process over all rounds. */
  peakRssMb: number;
  /** Milliseconds from creating to Ready: one at a time on an idle operator, and `concurrency` at a time. */
  oneAtATime: readonly number[];
  atOnce: readonly number[];
  /** Milliseconds of one issuance of the raw loop with its CA calls, one at a time. */
  rawOneAtATime: readonly number[];
}

/** What `--json` prints. Medians of the rounds; `ratio`s are medians of the pairs' ratios. */
export interface Summary {
  certificates: number;
  concurrency: number;
  pairs: number;
  floor: { perSecond: number; apiServerCpuMsEach: number };
  floorWithCa: { perSecond: number };
  operator: {
    perSecond: number;
    p50Ms: number;
    p95Ms: number;
    writesPerCertificate: number;
    readsPerCertificate: number;
    conflictsPerCertificate: number;
    boughtTwice: number;
    peakRssMb: number;
    cpuMsEach: number;
    apiServerCpuMsEach: number;
  };
  ratio: number;
  ratioWithCa: number;
  ratioSpread: [min: number, max: number];
}

export function summarize(measured: Measurements): Summary {
  const { certificates, concurrency, floor, floorWithCa, operator, peakRssMb, oneAtATime } = measured;
  const ratios = pairRatios(operator.map(perSecond), floor.map(perSecond));
  const ratiosWithCa = pairRatios(operator.map(perSecond), floorWithCa.map(perSecond));
  const [min, max] = spread(ratios);
  return {
    certificates,
    concurrency,
    pairs: operator.length,
    floor: {
      perSecond: rounded(median(floor.map(perSecond)), 1),
      apiServerCpuMsEach: rounded(median(floor.map(apiServerCpuEach)), 2),
    },
    floorWithCa: { perSecond: rounded(median(floorWithCa.map(perSecond)), 1) },
    operator: {
      perSecond: rounded(median(operator.map(perSecond)), 1),
      p50Ms: rounded(percentile(oneAtATime, 50), 1),
      p95Ms: rounded(percentile(oneAtATime, 95), 1),
      writesPerCertificate: rounded(
        median(operator.map(({ requests, certificates }) => requests.writes / certificates)),
        3,
      ),
      readsPerCertificate: rounded(
        median(operator.map(({ requests, certificates }) => requests.reads / certificates)),
        3,
      ),
      conflictsPerCertificate: rounded(
        median(operator.map(({ requests, certificates }) => requests.conflicts / certificates)),
        3,
      ),
      // One is one too many, so that no median may hide it.
      boughtTwice: operator.reduce((sum, { boughtTwice }) => sum + boughtTwice, 0),
      peakRssMb: rounded(peakRssMb, 1),
      cpuMsEach: rounded(median(operator.map(({ cpuMs, certificates }) => cpuMs.own / certificates)), 2),
      apiServerCpuMsEach: rounded(median(operator.map(apiServerCpuEach)), 2),
    },
    ratio: rounded(median(ratios), 3),
    ratioWithCa: rounded(median(ratiosWithCa), 3),
    ratioSpread: [rounded(min, 3), rounded(max, 3)],
  };
}

function perSecond({ certificates, elapsedMs }: Round): number {
  return (certificates / elapsedMs) * 1000;
}

function apiServerCpuEach({ cpuMs, certificates }: Round): number {
  return cpuMs.apiServer / certificates;
}

interface Row {
  name: string;
  values: readonly number[];
  digits: number;
  meaning: string;
}

/** The table for people: each figure with its median, its spread and what it means. */
export function table(measured: Measurements): string {
  const { operator, floor, floorWithCa } = measured;
  const each = (pick: (round: OperatorRound) => number): number[] =>
    operator.map((round) => pick(round) / round.certificates);
  const rates = {
    operator: operator.map(perSecond),
    floor: floor.map(perSecond),
    withCa: floorWithCa.map(perSecond),
  };
  const rows: (Row | string)[] = [
    'Certificates a second',
    { name: 'bare floor', values: rates.floor, digits: 1, meaning: 'three writes each, nothing else' },
    { name: 'floor with CA', values: rates.withCa, digits: 1, meaning: 'the same and the three CA calls' },
    {
      name: 'operator',
      values: rates.operator,
      digits: 1,
      meaning: 'from being let go to the last one issued',
    },
    {
      name: 'operator / bare floor',
      values: pairRatios(rates.operator, rates.floor),
      digits: 2,
      meaning: 'by pairs; budget 0.7 or more',
    },
    {
      name: 'operator / floor with CA',
      values: pairRatios(rates.operator, rates.withCa),
      digits: 2,
      meaning: 'by pairs; budget 0.9 or more',
    },
    'What a certificate costs',
    {
      name: 'writes',
      values: each(({ requests }) => requests.writes),
      digits: 2,
      meaning: 'that the API server carried out; budget 3',
    },
    {
      name: 'reads',
      values: each(({ requests }) => requests.reads),
      digits: 2,
      meaning: 'GET and LIST, without watches',
    },
    {
      name: 'conflicts',
      values: each(({ requests }) => requests.conflicts),
      digits: 3,
      meaning: 'writes refused with 409; budget under 0.05',
    },
    {
      name: 'failures',
      values: each(({ requests }) => requests.failures),
      digits: 3,
      meaning: 'writes refused otherwise',
    },
    {
      name: 'bought twice',
      values: operator.map(({ boughtTwice }) => boughtTwice),
      digits: 0,
      meaning: 'of a whole round, at the CA; budget 0',
    },
    'Milliseconds of CPU for a certificate',
    ...cpuRows('bare floor', floor),
    ...cpuRows('floor with CA', floorWithCa),
    ...cpuRows('operator', operator),
    'One certificate, in milliseconds (median, 95th percentile)',
  ];
  const lines = rows.map((row) => (typeof row === 'string' ? `\n${row}` : rowText(row)));
  return [...lines, ...latencyRows(measured), '', memoryText(measured)].join('\n').trimStart();
}

/** Whose CPU time went into the rounds of one kind. */
function cpuRows(kind: string, rounds: readonly Round[]): Row[] {
  const parts: [part: keyof CpuTimes, meaning: string][] = [
    ['own', 'the process that issues'],
    ['apiServer', "kube-apiserver; budget for the operator 1.3 times the bare floor's"],
    ['etcd', 'etcd'],
    ['ca', 'the dev server'],
  ];
  return parts.map(([part, meaning]) => ({
    name: `${kind}, ${part}`,
    values: rounds.map(({ cpuMs, certificates }) => cpuMs[part] / certificates),
    digits: 2,
    meaning,
  }));
}

function rowText({ name, values, digits, meaning }: Row): string {
  const [min, max] = spread(values);
  const range = `${min.toFixed(digits)} to ${max.toFixed(digits)}`;
  return `  ${name.padEnd(26)}${median(values).toFixed(digits).padStart(8)}   ${range.padEnd(18)} ${meaning}`;
}

function latencyRows({ oneAtATime, atOnce, rawOneAtATime, concurrency }: Measurements): string[] {
  const rows: [name: string, values: readonly number[], meaning: string][] = [
    ['created to Ready, idle', oneAtATime, 'one at a time'],
    ['created to Ready, busy', atOnce, `${concurrency} at a time, creating included`],
    ['raw loop with CA', rawOneAtATime, 'one issuance, one at a time, nothing to create or watch'],
  ];
  return rows.map(([name, values, meaning]) => {
    const [p50, p95] = [percentile(values, 50).toFixed(1), percentile(values, 95).toFixed(1)];
    return `  ${name.padEnd(26)}${p50.padStart(8)}   ${p95.padEnd(18)} ${meaning}`;
  });
}

function memoryText({ peakRssMb, operator }: Measurements): string {
  const held = operator.reduce((sum, { certificates }) => sum + certificates, 0);
  return `Most memory of the operator, which held more than ${held} certificates by the end: ${peakRssMb.toFixed(0)} MB.`;
}
