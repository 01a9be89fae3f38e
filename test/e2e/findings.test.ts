import { expect, test } from 'vitest';
import { Findings } from './findings.ts';

test('what is reported becomes the result', async () => {
  const lines: string[] = [];
  const findings = new Findings({ operator: '1' }, (line) => lines.push(line));
  expect(await findings.measure('build', async () => 7)).toBe(7);
  findings.listen({ kind: 'progress', line: 'Working.' });
  findings.listen({ kind: 'versions', versions: { kubernetes: '2' } });
  findings.listen({ kind: 'phase', phase: { name: 'cluster', seconds: 3 } });
  findings.listen({ kind: 'test', test: { name: 'ingress', result: 'passed', seconds: 4 } });
  findings.listen({ kind: 'failed', error: 'containerd ended.' });
  expect(findings.result('node')).toMatchObject({
    cluster: 'node',
    versions: { operator: '1', kubernetes: '2' },
    phases: [{ name: 'build' }, { name: 'cluster', seconds: 3 }],
    tests: [
      { name: 'ingress', result: 'passed' },
      { name: 'cluster', result: 'failed', error: 'containerd ended.' },
    ],
  });
  expect(lines).toEqual([
    'Working.',
    'passed  ingress  (4.0 s)',
    'FAILED  cluster  (0.0 s)\n    containerd ended.',
  ]);
});
