import { runSteps } from './check.ts';
import { steps } from './steps.ts';
import { type Count, runVitest } from './vitest.ts';

const failedSteps = await runSteps(steps);
const counts: Record<string, Count> = {
  checks: { passed: steps.length - failedSteps.length, failed: failedSteps.length },
  unit: await runVitest('unit', true),
  integration: await runVitest('integration'),
};

console.log('');
for (const [kind, { passed, failed }] of Object.entries(counts)) {
  console.log(
    `${kind.padEnd(12)} passed ${String(passed).padStart(5)}   failed ${String(failed).padStart(3)}`,
  );
}
const passed = Object.values(counts).reduce((sum, count) => sum + count.passed, 0);
const failed = Object.values(counts).reduce((sum, count) => sum + count.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
