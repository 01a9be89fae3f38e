import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'end-process-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** How a process ends that does this and then ends itself with code 3. */
async function ending(program: string): Promise<unknown> {
  const url = new URL('end-process.ts', import.meta.url).href;
  const text = `import { endProcess } from '${url}';\n${program}\nawait endProcess(3);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', text], {
    stdio: 'ignore',
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return code ?? signal;
}

test('a process ends with its exit code, whatever timers and sockets are left', async () => {
  expect(
    await ending(
      `import { createServer } from 'node:net'; createServer().listen(0); setInterval(() => {}, 1000);`,
    ),
  ).toBe(3);
});

test('a process whose thread hangs in a read ends all the same', async () => {
  const fifo = join(folder, 'fifo');
  expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
  expect(await ending(`import { readFile } from 'node:fs/promises'; void readFile('${fifo}');`)).toBe(
    'SIGKILL',
  );
});
