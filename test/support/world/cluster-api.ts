import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GROUP, VERSION } from '../../../src/api/names.ts';
import { certificates, clusterIssuers, issuers } from '../../../src/api/kinds.ts';
import type { ResourceType } from '../../../src/kube/objects.ts';
import { apiVersionOf, collectionPath } from '../../../src/kube/paths.ts';
import { controlPlane } from './control-plane.ts';

/** An answer as received: the tests of the API check what a user sees, not what our client makes of it. */
export interface Answer {
  status: number;
  body: unknown;
}

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

const crdFolder = new URL('../../../crds/', import.meta.url).pathname;

/** Access to the shared control plane as its administrator, by plain HTTP and by kubectl. `close` ends it. */
export class ClusterApi {
  // A cache of its own, since kubectl keeps what it discovered before the CRDs existed.
  readonly #home = mkdtempSync(join(tmpdir(), 'cluster-api-'));
  readonly #agent: Agent;

  constructor() {
    const { caData: ca, adminCert: cert, adminKey: key } = controlPlane();
    this.#agent = new Agent({ ca, cert, key, keepAlive: true, maxSockets: 4 });
  }

  send(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<Answer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = payload === undefined ? {} : { 'content-type': contentType };
    return new Promise((resolve, reject) => {
      const url = new URL(path, controlPlane().server);
      const outgoing = request(url, { method, agent: this.#agent, headers }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('error', reject);
        incoming.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: incoming.statusCode ?? 0, body: jsonOr(text) });
        });
      });
      outgoing.once('error', reject);
      outgoing.end(payload);
    });
  }

  /** Runs kubectl; an error answer is a result here, not an exception. */
  kubectl(args: readonly string[], stdin = ''): Promise<Outcome> {
    const { kubectl, kubeconfig } = controlPlane();
    return new Promise((resolve) => {
      const child = execFile(
        kubectl,
        [...args],
        { env: { HOME: this.#home, KUBECONFIG: kubeconfig }, maxBuffer: 2 ** 24 },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
      );
      child.stdin?.end(stdin);
    });
  }

  /** Installs the CRDs from `crds/` and waits until the API server serves and publishes them. */
  async installCrds(): Promise<void> {
    const applied = await this.kubectl(['apply', '--server-side', '--force-conflicts', '-f', crdFolder]);
    if (applied.code !== 0) throw new Error(applied.stderr);
    const names = [certificates, issuers, clusterIssuers].map(
      ({ plural, group }) => `crd/${plural}.${group}`,
    );
    const waited = await this.kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...names]);
    if (waited.code !== 0) throw new Error(waited.stderr);
    // The schema for kubectl explain is published after the CRD is established.
    while (!(await this.#publishes([certificates, issuers, clusterIssuers].map(({ kind }) => kind))))
      await sleep(50);
  }

  /**
   * The API server's complaints about a new object with this spec, each as `field: message`; none if it accepts the object.
   * Nothing is stored.
   */
  async complaints(type: ResourceType, spec: unknown): Promise<string[]> {
    const { status, body } = await this.dryRun(type, spec);
    if (status === 201) return [];
    const { causes } =
      (body as { details?: { causes?: { field?: string; message?: string }[] } }).details ?? {};
    if (!causes) throw new Error(JSON.stringify(body));
    return causes.map(({ field, message }) => `${field}: ${message}`).sort();
  }

  /** The answer to the creation of an object with this spec. Nothing is stored. */
  dryRun(type: ResourceType, spec: unknown): Promise<Answer> {
    const path = collectionPath(type, type.namespaced ? 'default' : undefined);
    return this.send('POST', `${path}?dryRun=All`, {
      apiVersion: apiVersionOf(type),
      kind: type.kind,
      metadata: { name: 'x' },
      spec,
    });
  }

  async createNamespace(name: string): Promise<void> {
    const { status, body } = await this.send('POST', '/api/v1/namespaces', { metadata: { name } });
    if (status !== 201) throw new Error(JSON.stringify(body));
  }

  close(): void {
    this.#agent.destroy();
    rmSync(this.#home, { recursive: true, force: true });
  }

  async #publishes(kinds: readonly string[]): Promise<boolean> {
    const { status, body } = await this.send('GET', `/openapi/v3/apis/${GROUP}/${VERSION}`);
    const text = JSON.stringify(body);
    return status === 200 && kinds.every((kind) => text.includes(`"kind":"${kind}"`));
  }
}

/** Not all answers are JSON: an unknown path is "404 page not found", or nothing. */
function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A complaint that quotes the wrong value twice, as the API server and then our rules do. */
export function refused(field: string, value: string, advice: string): string {
  return `${field}: Invalid value: "${value}": "${value}" ${advice}`;
}
