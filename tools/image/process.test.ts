import { expect, test } from 'vitest';
import { outputOf, run, type RunOptions } from './process.ts';

interface Watched {
  options: RunOptions;
  lines: string[];
  guarded: (readonly number[])[];
  stop: AbortController;
}

function watched(rest: Partial<RunOptions> = {}): Watched {
  const lines: string[] = [];
  const guarded: (readonly number[])[] = [];
  const stop = new AbortController();
  const options: RunOptions = {
    title: 'Working',
    progress: (line) => lines.push(line),
    signal: stop.signal,
    guard: (groups) => guarded.push(groups),
    ...rest,
  };
  return { options, lines, guarded, stop };
}

test('a program runs to its end, guarded as a group while it runs', async () => {
  const { options, lines, guarded } = watched();
  await run('true', [], options);
  expect(lines).toEqual(['Working: 0 s.']);
  expect(guarded).toEqual([[expect.any(Number)], []]);
  expect(guarded[0]?.[0]).toBeLessThan(0);
});

test('one that fails is an error with the end of its output', async () => {
  const { options } = watched();
  const failing = run('sh', ['-c', 'for n in $(seq 30); do echo line $n; done; exit 3'], options);
  await expect(failing).rejects.toMatchObject({
    message: 'Working failed: sh ended with 3.',
    details: Array.from({ length: 20 }, (_, index) => `line ${index + 11}`),
  });
});

test('one that does not exist is an error that names its package', async () => {
  const { options } = watched({ env: { PATH: '/nonexistent' } });
  await expect(run('debootstrap', [], options)).rejects.toMatchObject({
    code: 'ToolMissing',
    message: 'There is no "debootstrap" in PATH.',
    details: ['On Debian, apt-get install debootstrap brings it.'],
  });
});

test('an abort ends the program and all that it has started', async () => {
  const { options, stop } = watched({
    stepOf: (line) => {
      if (line === 'started') stop.abort();
      return undefined;
    },
  });
  // It is over only when nobody has its output open any longer, and the second program would for ten minutes.
  await expect(run('sh', ['-c', 'sleep 600 & echo started; wait'], options)).rejects.toThrow('aborted');
});

test('the output of a program is its text, and of one that fails nothing', async () => {
  expect(await outputOf('echo', ['hello'])).toBe('hello');
  expect(await outputOf('sh', ['-c', 'echo hello; exit 1'])).toBeUndefined();
  expect(await outputOf('no-such-program', [])).toBeUndefined();
});
