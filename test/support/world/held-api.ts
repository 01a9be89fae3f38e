/** The real API server behind a proxy that can leave requests unanswered. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import { writeFile } from 'node:fs/promises';
import { listen } from '../kube/kube-socket.ts';
import type { SharedControlPlane } from './control-plane.ts';

/** A request as it arrives. */
export interface Asked {
  method: string;
  /** Path and query. */
  path: string;
}

export interface HeldApi {
  /** Leaves every request that `matches` unanswered from now on. Resolves when the first one has arrived. */
  hold(matches: (asked: Asked) => boolean): Promise<Asked>;
  /** Answers every request that `matches` with 404 from now on, as if its kind were not installed. */
  hide(matches: (asked: Asked) => boolean): void;
  /** Writes a kubeconfig for it, without credentials. */
  kubeconfig(file: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts such a proxy, which sends everything as the administrator. */
export async function holdApi(cluster: SharedControlPlane): Promise<HeldApi> {
  const agent = new Agent({
    ca: cluster.caData,
    cert: cluster.adminCert,
    key: cluster.adminKey,
    keepAlive: true,
  });
  const holds: { matches: (asked: Asked) => boolean; arrived: (asked: Asked) => void }[] = [];
  const hidden: ((asked: Asked) => boolean)[] = [];
  const proxy = await listen(
    createServer((incoming, outgoing) => {
      const asked = { method: incoming.method ?? '', path: incoming.url ?? '' };
      const held = holds.find(({ matches }) => matches(asked));
      if (held) held.arrived(asked);
      else if (hidden.some((matches) => matches(asked))) refuse(outgoing);
      else forward(cluster.server, agent, incoming, outgoing);
    }),
    'http',
  );
  return {
    hold: (matches) => new Promise((arrived) => holds.push({ matches, arrived })),
    hide: (matches) => void hidden.push(matches),
    kubeconfig: async (file) => {
      await writeFile(file, kubeconfig({ server: proxy.url }));
      return file;
    },
    close: async () => {
      await proxy.close();
      agent.destroy();
    },
  };
}

/** A kubeconfig with one context. */
export function kubeconfig(cluster: object, user: object = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster }],
    users: [{ name: 'x', user }],
  });
}

function forward(server: string, agent: Agent, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers, url = '/' } = incoming;
  const onward = request(new URL(url, server), { agent, method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => onward.destroy());
  incoming.pipe(onward);
}

function refuse(outgoing: ServerResponse): void {
  outgoing.writeHead(404, { 'content-type': 'application/json' });
  outgoing.end(
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, reason: 'NotFound' }),
  );
}
