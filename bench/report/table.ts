/** The table for people: each figure with its median, its spread and its meaning. Pure. */
import type { CpuTimes, OperatorRound, Round } from '../rounds.ts';
import { median, percentile, spread } from './statistics.ts';
import { type Measurements, type OperatorMeasurements, perSecond, rateRatios } from './summary.ts';

interface Row {
  name: string;
  values: readonly number[];
  digits: number;
  meaning: string;
}

/** Throws a RangeError without rounds. */
export function table(measured: Measurements): string {
  const { floor, floorWithCa } = measured;
  const operators = operatorsOf(measured);
  const rows: (Row | string)[] = [
    'Certificates a second',
    ...rateRows(measured),
    ...operators.flatMap(({ title, rounds }) => [title('What a certificate costs'), ...costRows(rounds)]),
    'Milliseconds of CPU for a certificate',
    ...cpuRows('bare floor', floor),
    ...cpuRows('floor with CA', floorWithCa),
    ...operators.flatMap(({ name, rounds }) => cpuRows(name, rounds)),
    'One certificate, in milliseconds (median, 95th percentile)',
  ];
  const lines = rows.map((row) => (typeof row === 'string' ? `\n${row}` : rowText(row)));
  return [...lines, ...latencyRows(measured), '', ...operators.map(memoryText)].join('\n').trimStart();
}

interface NamedOperator extends OperatorMeasurements {
  name: 'operator' | 'baseline';
  /** Adds the name to a heading if there are two operators to tell apart. */
  title: (heading: string) => string;
}

function operatorsOf({ operator, baseline }: Measurements): NamedOperator[] {
  if (!baseline) return [{ name: 'operator', ...operator, title: (heading) => heading }];
  return [
    { name: 'operator', ...operator, title: (heading) => `${heading}, operator` },
    { name: 'baseline', ...baseline, title: (heading) => `${heading}, baseline` },
  ];
}

function rateRows(measured: Measurements): Row[] {
  const { floor, floorWithCa, operator, baseline } = measured;
  const operators = operatorsOf(measured);
  return [
    {
      name: 'bare floor',
      values: floor.map(perSecond),
      digits: 1,
      meaning: 'three writes each, nothing else',
    },
    {
      name: 'floor with CA',
      values: floorWithCa.map(perSecond),
      digits: 1,
      meaning: 'the same and the three CA calls',
    },
    ...operators.map(({ name, rounds }) => ({
      name,
      values: rounds.map(perSecond),
      digits: 1,
      meaning: 'from SIGCONT to the last one issued',
    })),
    ...operators.flatMap(({ name, rounds }) => [
      {
        name: `${name} / bare floor`,
        values: rateRatios(rounds, floor),
        digits: 2,
        meaning: 'by pairs; budget 0.7 or more',
      },
      {
        name: `${name} / floor with CA`,
        values: rateRatios(rounds, floorWithCa),
        digits: 2,
        meaning: 'by pairs; budget 0.9 or more',
      },
    ]),
    ...(baseline
      ? [
          {
            name: 'operator / baseline',
            values: rateRatios(operator.rounds, baseline.rounds),
            digits: 2,
            meaning: 'by pairs; above 1 the operator is faster',
          },
        ]
      : []),
  ];
}

function costRows(rounds: readonly OperatorRound[]): Row[] {
  const each = (pick: (round: OperatorRound) => number): number[] =>
    rounds.map((round) => pick(round) / round.certificates);
  return [
    {
      name: 'writes',
      values: each(({ requests }) => requests.writes),
      digits: 2,
      meaning: 'that the API server executed; budget 3',
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
      values: rounds.map(({ boughtTwice }) => boughtTwice),
      digits: 0,
      meaning: 'in a whole round, at the CA; budget 0',
    },
  ];
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
  return columns(name, median(values).toFixed(digits), range, meaning);
}

function latencyRows(measured: Measurements): string[] {
  const { rawOneAtATime, concurrency } = measured;
  const operators = operatorsOf(measured);
  const rows: [name: string, values: readonly number[], meaning: string][] = [
    ...operators.flatMap(({ name, oneAtATime, atOnce }): typeof rows => {
      const span = 'created to Ready, ';
      const [before, meaning] = operators.length > 1 ? [`${name}, `, span] : [span, ''];
      return [
        [`${before}idle`, oneAtATime, `${meaning}one at a time`],
        [`${before}busy`, atOnce, `${meaning}${concurrency} at a time, creation included`],
      ];
    }),
    ['raw loop with CA', rawOneAtATime, 'one issuance, one at a time, nothing to create or watch'],
  ];
  return rows.map(([name, values, meaning]) =>
    columns(name, percentile(values, 50).toFixed(1), percentile(values, 95).toFixed(1), meaning),
  );
}

function columns(name: string, middle: string, range: string, meaning: string): string {
  return `  ${name.padEnd(26)}${middle.padStart(8)}   ${range.padEnd(18)} ${meaning}`;
}

function memoryText({ name, peakRssMb, rounds }: NamedOperator): string {
  const cached = rounds.reduce((sum, { certificates }) => sum + certificates, 0);
  return `Peak memory of the ${name}, which had more than ${cached} certificates in its caches by the end: ${peakRssMb.toFixed(0)} MB.`;
}
