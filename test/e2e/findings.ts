import { lineOf, type Event, type Phase, type RunResult, type TestResult } from './result.ts';

/** What a run has found out so far. */
export class Findings {
  readonly tests: TestResult[] = [];
  readonly #phases: Phase[] = [];
  readonly #versions: Record<string, string>;
  readonly #startedAt = performance.now();
  readonly #progress: (line: string) => void;

  constructor(versions: Readonly<Record<string, string>>, progress: (line: string) => void) {
    this.#versions = { ...versions };
    this.#progress = progress;
  }

  /** Measures a part of the run. */
  async measure<T>(name: string, work: () => Promise<T>): Promise<T> {
    const from = performance.now();
    const done = await work();
    this.#phases.push({ name, seconds: Number(((performance.now() - from) / 1000).toFixed(1)) });
    return done;
  }

  /** Takes what the program that runs the tests reports. */
  readonly listen = (event: Event): void => {
    if (event.kind === 'progress') this.#progress(event.line);
    else if (event.kind === 'versions') Object.assign(this.#versions, event.versions);
    else if (event.kind === 'phase') this.#phases.push(event.phase);
    else if (event.kind === 'test') this.add(event.test);
    else if (event.kind === 'failed')
      this.add({ name: 'cluster', result: 'failed', seconds: 0, error: event.error });
  };

  add(test: TestResult): void {
    this.tests.push(test);
    this.#progress(lineOf(test));
  }

  result(cluster: RunResult['cluster']): RunResult {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    return { cluster, versions: this.#versions, seconds, phases: this.#phases, tests: this.tests };
  }
}
