import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePorts } from './ports.ts';

function listen(port: number): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

test('the ports differ, are free, and are below the range of outgoing connections', async () => {
  const ports = await freePorts(5);
  expect(new Set(ports).size).toBe(5);
  const servers = await Promise.all(ports.map(listen));
  for (const server of servers) server.close();
  expect(Math.max(...ports)).toBeLessThan(32_768);
});

test('a port that is in use or already drawn is skipped', async () => {
  const [first = 0, second = 0] = await freePorts(2);
  const other = await listen(first);
  const draws = [first, second, second, first];
  const [third = 0] = await freePorts(1);
  draws.push(third);
  try {
    expect(await freePorts(2, () => draws.shift() ?? 0)).toEqual([second, third]);
  } finally {
    other.close();
  }
});

test('a machine without a free port is an error, not an endless search', async () => {
  const [port = 0] = await freePorts(1);
  const other = await listen(port);
  try {
    await expect(freePorts(1, () => port)).rejects.toMatchObject({ code: 'StartFailed' });
  } finally {
    other.close();
  }
});
