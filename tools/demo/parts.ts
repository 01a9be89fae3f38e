import { spawnSync } from 'node:child_process';
import { KubeClient } from '../../src/kube/client.ts';
import { connect } from '../../src/kube/config/credentials.ts';
import { startInformer } from '../../src/kube/watch/informer.ts';
import { type KubeObject, keyOf, type ResourceType } from '../../src/kube/objects.ts';
import type { Store } from '../../src/kube/watch/store.ts';
import { Transport } from '../../src/kube/transport/transport.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { type ControlPlane, ensureBinaries, startControlPlane } from '../control-plane/index.ts';
import { create, established } from './manifests.ts';
import { OperatorProcess } from './operator.ts';
import { Steps } from './steps.ts';

/** The namespace of everything that is shown. */
export const namespace = 'demo';
/** How long a step of one second may take on a busy machine. */
const PATIENCE_MS = 120_000;

/** A server that plays a CA. */
export interface CaServer {
  endpoint: string;
  stop(): Promise<void>;
}

/** A demonstration: steps on real parts, and what to try while they are running. */
export interface Show {
  readonly parts: Pick<Parts, 'operatorLines'>;
  show(): Promise<void>;
  explain(): void;
  stop(): Promise<void>;
}

/** What a demonstration runs on: an API server, a server that plays the CA, and the operator in a process of its own. */
export class Parts {
  readonly steps = new Steps();
  /** Ends work under way: a build, a start, a watch. */
  readonly #stopping = new AbortController();
  #controlPlane: ControlPlane | undefined;
  #ca: CaServer | undefined;
  #operator: OperatorProcess | undefined;
  #kube: KubeClient | undefined;

  get operatorLines(): readonly string[] {
    return this.#operator?.lastLines ?? [];
  }

  get kubeconfig(): string | undefined {
    return this.#controlPlane?.kubeconfig;
  }

  get kube(): KubeClient {
    if (!this.#kube) throw new Error('There is no API server yet.');
    return this.#kube;
  }

  /** Starts everything; `name` is the name of the CA. */
  async start<S extends CaServer>(name: string, startCa: () => Promise<S>): Promise<S> {
    const { steps } = this;
    const { signal } = this.#stopping;
    await steps.run('Find or build etcd and kube-apiserver', async (tell) => {
      const { source, version } = await ensureBinaries({ progress: tell, signal });
      steps.note(`${version}, from: ${source}`);
    });
    const controlPlane = await steps.run('Start etcd and kube-apiserver', () =>
      startControlPlane({ signal }),
    );
    this.#controlPlane = controlPlane;
    const ca = await steps.run(`Start a ${name}-compatible server over TLS`, async () => {
      const started = await startCa();
      steps.note(started.endpoint);
      return started;
    });
    this.#ca = ca;
    const connection = await connect({ kubeconfig: controlPlane.kubeconfig, clock: systemClock });
    const transport = new Transport({ connection, clock: systemClock, userAgent: 'tinycert-demo' });
    this.#kube = new KubeClient(transport, { fieldManager: 'tinycert-demo' });
    await this.#startOperator(controlPlane, ca.endpoint);
    return ca;
  }

  /** Rejects if the operator ends before `work` does. */
  async during<T>(work: Promise<T>): Promise<T> {
    return this.#operator ? this.#operator.during(work) : work;
  }

  /** Ends everything that was started, in reverse order. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#operator?.stop();
    await this.#kube?.transport.close();
    await this.#ca?.stop();
    await this.#controlPlane?.stop();
  }

  async #startOperator(controlPlane: ControlPlane, endpoint: string): Promise<void> {
    const { steps, kube } = this;
    await steps.run('Install the CRDs and the operator’s rights', async () => {
      await create(kube, 'crds');
      await create(kube, 'deploy/rbac.yaml');
      await kube.create(
        { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false },
        { metadata: { name: namespace } },
      );
      await established(kube);
    });
    await steps.run('Build the operator', () => Promise.resolve(build()));
    await steps.run('Start the operator with its ServiceAccount', async () => {
      const kubeconfig = await controlPlane.kubeconfigFor({
        serviceAccount: { namespace: 'tinycert-operator', name: 'tinycert-operator' },
      });
      this.#operator = new OperatorProcess([
        `--kubeconfig=${kubeconfig}`,
        '--cluster-resource-namespace=tinycert-operator',
        `--allowed-endpoints=${endpoint}`,
        '--metrics-bind-address=0',
        '--health-probe-bind-address=0',
        '--log-format=text',
      ]);
    });
  }

  /** A store that follows a kind. */
  follow<T extends KubeObject>(type: ResourceType<T>): Store<T> {
    const { signal } = this.#stopping;
    return startInformer<T, T>({
      client: this.kube,
      type,
      project: (object) => object,
      clock: systemClock,
      log: silentLog,
      signal,
    }).store;
  }

  /** Waits until an object in the store is as wanted. Fails with the object's conditions. */
  until<T extends KubeObject>(store: Store<T>, name: string, isDone: (object: T) => boolean): Promise<void> {
    const key = keyOf({ metadata: { namespace, name } });
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const object = store.get(key);
        if (!object || !isDone(object)) return;
        end();
        resolve();
      };
      const unsubscribe = store.subscribe(look);
      const cancel = systemClock.timer(PATIENCE_MS, () => {
        end();
        reject(
          new Error(
            `${name} is not there after ${PATIENCE_MS / 1000} s: ${JSON.stringify(conditionsOf(store.get(key)))}`,
          ),
        );
      });
      const end = (): void => {
        unsubscribe();
        cancel();
      };
      look();
    });
  }
}

function conditionsOf(object: KubeObject | undefined): unknown {
  return (object as { status?: { conditions?: unknown } } | undefined)?.status?.conditions ?? 'no status yet';
}

function build(): void {
  const { status, stderr } = spawnSync(process.execPath, ['tools/build/build.ts', '--operator'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The operator could not be built:\n${stderr}`);
}
