import { expect, test } from 'vitest';
import { explain } from '../control-plane/errors.ts';
import { attempt, run } from './run.ts';

const sh = (script: string): [string, string[]] => ['/bin/sh', ['-c', script]];

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'succeeded',
    (error: unknown) => explain(error),
  );
}

test('a failure is an outcome, with what was written', async () => {
  expect(await attempt(...sh('echo out; echo err >&2; exit 3'))).toEqual({
    code: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

test('input is given, and may be ignored', async () => {
  expect(await run('cat', [], { input: 'text' })).toBe('text');
  expect(await run(...sh('exit 0'), { input: 'x'.repeat(1_000_000) })).toBe('');
});

test('what must succeed and does not says why', async () => {
  expect(await refusal(run(...sh('echo no such thing >&2; exit 1')))).toContain(
    'exited with 1.\n  no such thing',
  );
});

test('a program that is missing, or takes too long, is no outcome', async () => {
  expect(await refusal(attempt('/no/such/program', []))).toContain(
    'did not end by itself.\n  spawn /no/such/program ENOENT',
  );
  expect(await refusal(attempt('sleep', ['600'], { timeoutMs: 50 }))).toContain('It was ended after 0.05 s.');
});
