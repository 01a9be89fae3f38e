import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { ControlPlaneError } from './errors.ts';

/**
 * Ports are drawn from below the ranges that Linux (from 32768) and macOS (from 49152) hand to outgoing connections. A port
 * from those ranges may be lost while its server restarts, even to a client of that server: a connect to a closed local port
 * can pick the same port as its source and so connect to itself.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const TRIES = 200;

/**
 * `count` different ports that are free on 127.0.0.1 right now. Nothing reserves them, so a caller must try again if one is in
 * use later.
 */
export async function freePorts(count: number, draw: () => number = drawPort): Promise<number[]> {
  const taken = new Map<number, Server>();
  try {
    for (let tries = 0; taken.size < count; tries++) {
      if (tries === TRIES) throw new ControlPlaneError('StartFailed', 'No free loopback port was found.');
      const port = draw();
      if (taken.has(port)) continue;
      const server = await listen(port);
      if (server !== undefined) taken.set(port, server);
    }
    return [...taken.keys()];
  } finally {
    await Promise.all([...taken.values()].map(close));
  }
}

function drawPort(): number {
  return randomInt(LOWEST, HIGHEST);
}

/** A server on that port, or undefined if the port is in use. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
