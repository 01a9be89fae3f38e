/**
 * Repeats the measurement behind docs/adr/0001: what `GET`s cost through @kubernetes/client-node and through our own
 * transport, against the embedded API server. Run: npm run bench:transport
 */
import { createServer, connect as dial, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { KubeClient } from '../src/kube/client.ts';
import { connect } from '../src/kube/config/credentials.ts';
import { secrets } from '../src/kube/objects.ts';
import { Transport } from '../src/kube/transport/transport.ts';
import { systemClock } from '../src/lib/clock.ts';
import { startControlPlane } from '../tools/control-plane/index.ts';

const GETS = 200;
const ROUNDS = 5;

/** A plain TCP proxy that counts the connections to the API server. */
async function counter(
  port: number,
): Promise<{ port: number; connections: () => number; close: () => void }> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    const upstream = dial(port, '127.0.0.1');
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end.on('error', () => end.destroy());
      end.on('close', () => sockets.delete(end));
    }
    socket.pipe(upstream).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, connections: () => connections, close };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

const controlPlane = await startControlPlane({});
try {
  const direct = Number(new URL(controlPlane.server).port);
  const figures: Record<string, { ms: number[]; connections: number[] }> = {};
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of ['client-node', 'own transport']) {
      const between = await counter(direct);
      const file = join(controlPlane.dataDir, `between-${round}.yaml`);
      const text = readFileSync(controlPlane.kubeconfig, 'utf8').replaceAll(`:${direct}`, `:${between.port}`);
      writeFileSync(file, text, { mode: 0o600 });
      const get = name === 'client-node' ? clientNode(file) : await own(file);
      const started = performance.now();
      for (let i = 0; i < GETS; i += 1) await get();
      const figure = (figures[name] ??= { ms: [], connections: [] });
      figure.ms.push(performance.now() - started);
      figure.connections.push(between.connections());
      between.close();
    }
  }
  for (const [name, { ms, connections }] of Object.entries(figures)) {
    const spread = `${Math.min(...ms).toFixed(0)} to ${Math.max(...ms).toFixed(0)}`;
    console.log(
      `${name}: ${GETS} GETs in ${median([...ms]).toFixed(0)} ms (${spread}), ${median(connections)} connections`,
    );
  }
} finally {
  await controlPlane.stop();
}
process.exit(0);

function clientNode(file: string): () => Promise<unknown> {
  const config = new KubeConfig();
  config.loadFromFile(file);
  const api = config.makeApiClient(CoreV1Api);
  return () => api.listNamespacedSecret({ namespace: 'default', limit: 1 });
}

async function own(file: string): Promise<() => Promise<unknown>> {
  const connection = await connect({ kubeconfig: file, clock: systemClock });
  const kube = new KubeClient(new Transport({ connection, clock: systemClock, userAgent: 'bench' }), {
    fieldManager: 'bench',
  });
  return () => kube.list(secrets, { namespace: 'default', limit: 1 });
}
