/** What a test measured, for the reader of the result. */
export type Figures = Readonly<Record<string, string | number>>;

export interface TestResult {
  name: string;
  result: 'passed' | 'failed';
  seconds: number;
  figures?: Figures;
  /** Why it failed. */
  error?: string;
}

/** One part of the run that is no test, such as a build, and how long it took. */
export interface Phase {
  name: string;
  seconds: number;
}

export interface RunResult {
  cluster: 'kind' | 'node';
  versions: Readonly<Record<string, string>>;
  seconds: number;
  phases: readonly Phase[];
  tests: readonly TestResult[];
}

/** What the program that runs the tests reports to the one that started it, one JSON document a line. */
export type Event =
  | { kind: 'progress'; line: string }
  | { kind: 'versions'; versions: Readonly<Record<string, string>> }
  | { kind: 'phase'; phase: Phase }
  | { kind: 'test'; test: TestResult }
  | { kind: 'kept'; kubeconfig: string }
  | { kind: 'failed'; error: string };

/** Reads a line of the other program; what is no event, such as a warning of Node's, is progress. */
export function eventOf(line: string): Event {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && 'kind' in value) return value as Event;
  } catch {
    // Not ours.
  }
  return { kind: 'progress', line };
}

/** One line about a test. */
export function lineOf({ name, result, seconds, figures, error }: TestResult): string {
  const more = Object.entries(figures ?? {}).map(([key, value]) => `${key} ${value}`);
  const head = `${result === 'passed' ? 'passed' : 'FAILED'}  ${name}  (${seconds.toFixed(1)} s)`;
  return [
    more.length === 0 ? head : `${head}  ${more.join(', ')}`,
    ...(error === undefined ? [] : [error]),
  ].join('\n    ');
}

/** The exit code of a run. A run without tests has failed: it proves nothing. */
export function exitCodeOf(tests: readonly TestResult[]): number {
  return tests.length > 0 && tests.every(({ result }) => result === 'passed') ? 0 : 1;
}
