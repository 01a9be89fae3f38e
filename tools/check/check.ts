import { type Step, steps } from './steps.ts';
import { runVitest } from './vitest.ts';

const unit: Step = {
  name: 'unit tests',
  run: async () => {
    const { passed, failed } = await runVitest('unit', true);
    return failed === 0 ? undefined : `${passed} passed, ${failed} failed`;
  },
};

/** Runs the steps one after the other, shows each with its time, and resolves with the names of those that failed. */
export async function runSteps(all: readonly Step[]): Promise<string[]> {
  const failed: string[] = [];
  for (const step of all) {
    const started = performance.now();
    const complaint = await step.run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${complaint === undefined ? 'ok    ' : 'FAILED'} ${step.name} (${seconds} s)`);
    if (complaint === undefined) continue;
    console.log(complaint.trimEnd());
    failed.push(step.name);
  }
  return failed;
}

if (import.meta.main) {
  const failed = await runSteps([...steps, unit]);
  if (failed.length > 0) console.log(`\nFailed: ${failed.join(', ')}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
