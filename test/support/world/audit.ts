import { JOURNAL_NAME, RECORDS_NAME } from '../../../src/operator/journal.ts';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '../../../src/kube/client.ts';
import { startControlPlane } from '../../../tools/control-plane/index.ts';
import type { DevServerOptions } from '../../../tools/dev-server/index.ts';
import { installCrds, namespaces } from './crds.ts';
import { openStage, type Stage } from './stage.ts';
import { counted } from './traffic.ts';

/** One line of the audit log: the fields used here. */
interface AuditEntry {
  verb: string;
  user: { username: string };
  objectRef?: { resource: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code?: number };
}

const READS = new Set(['get', 'list', 'watch']);

/** The API server's own record of who did what. */
export class AuditLog {
  readonly #path: string;
  readonly #kube: KubeClient;
  readonly #user: string;

  /** `user` is the one whose requests count. */
  constructor(path: string, kube: KubeClient, user: string) {
    this.#path = path;
    this.#kube = kube;
    this.#user = user;
  }

  /** The user's requests that were answered so far, without the first `since`. Watches count once they have ended. */
  async entries(since = 0): Promise<AuditEntry[]> {
    const marker = `marker-${randomBytes(5).toString('hex')}`;
    await this.#kube.find(namespaces, { name: marker });
    for (;;) {
      const text = await readFile(this.#path, 'utf8');
      if (text.includes(marker)) {
        const lines = text.slice(0, text.lastIndexOf('\n')).split('\n');
        const all = lines.map((line) => JSON.parse(line) as AuditEntry);
        return all.filter(({ user }) => user.username === this.#user).slice(since);
      }
      await pause(10);
    }
  }
}

/** A stage on a control plane of its own, which keeps an audit log of what the user `operator` does. */
export interface AuditedStage {
  stage: Stage;
  /** The audit log of that user. */
  kubeconfig: string;
  audit: AuditLog;
  close(): Promise<void>;
}

/** Starts it, with the CRDs installed. */
export async function openAuditedStage(options: DevServerOptions): Promise<AuditedStage> {
  const cluster = await startControlPlane({ auditLog: true });
  const stage = await openStage(options, cluster);
  await installCrds(stage.kube);
  return {
    stage,
    kubeconfig: await cluster.kubeconfigFor({ name: 'operator', groups: ['system:masters'] }),
    audit: new AuditLog(cluster.auditLog ?? '', stage.kube, 'operator'),
    close: async () => {
      await stage.close();
      await cluster.stop();
    },
  };
}

/** The writes among entries, such as `patch tinycertcertificates/status 200`, counted. The journal and its records are called so. */
export function writesOf(entries: readonly AuditEntry[]): Record<string, number> {
  return counted(entries.filter(({ verb }) => !READS.has(verb)).map(lineOf));
}

/** The number of writes of one kind, such as `patch tinycertcertificates/status 200`, by object. */
export function writesByName(entries: readonly AuditEntry[], write: string): Record<string, number> {
  return counted(
    entries.filter((entry) => lineOf(entry) === write).map(({ objectRef }) => objectRef?.name ?? ''),
  );
}

/** The reads by name, such as `get secrets account 200`. */
export function readsByName(entries: readonly AuditEntry[]): string[] {
  return entries
    .filter(({ verb }) => verb === 'get')
    .map((entry) => `${lineOf(entry)} ${entry.objectRef?.name}`);
}

const CALLED: Record<string, string> = { [JOURNAL_NAME]: 'journal', [RECORDS_NAME]: 'records' };

function lineOf({ verb, objectRef, responseStatus }: AuditEntry): string {
  const { resource: plural = '', subresource, name } = objectRef ?? {};
  const resource = CALLED[name ?? ''] ?? plural;
  return `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`} ${responseStatus?.code}`;
}
