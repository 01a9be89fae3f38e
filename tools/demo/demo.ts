import { spawnSync } from 'node:child_process';
import { certificates, issuers, type TinyCertCertificate, type TinyCertIssuer } from '../../src/api/kinds.ts';
import type { CertificateSpec } from '../../src/api/certificate-spec.ts';
import { API_VERSION } from '../../src/api/names.ts';
import { conditionOf } from '../../src/issuance/conditions.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { connect } from '../../src/kube/credentials.ts';
import { startInformer } from '../../src/kube/informer.ts';
import { type KubeObject, keyOf, type ResourceType, type Secret, secrets } from '../../src/kube/objects.ts';
import type { Store } from '../../src/kube/store.ts';
import { Transport } from '../../src/kube/transport.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { type ControlPlane, ensureBinaries, startControlPlane } from '../control-plane/index.ts';
import { type DevServer, startDevServer } from '../dev-server/index.ts';
import { type Handshake, handshake } from './handshake.ts';
import { create, established } from './manifests.ts';
import { OperatorProcess } from './operator.ts';
import { Steps } from './steps.ts';
import { kubectlGet } from './table.ts';

const namespace = 'demo';
/** How long a thing that takes a second may take on a machine that is busy. */
const PATIENCE_MS = 120_000;
const SHORT_LIFE = '20s';

/** The main job from nothing to a renewed certificate, step by step. */
export class Demo {
  readonly #steps = new Steps();
  /** Ends what is under way: a build, a start, a watch. */
  readonly #stopping = new AbortController();
  #controlPlane: ControlPlane | undefined;
  #devServer: DevServer | undefined;
  #operator: OperatorProcess | undefined;
  #kube: KubeClient | undefined;

  get operatorLines(): readonly string[] {
    return this.#operator?.lastLines ?? [];
  }

  async show(): Promise<void> {
    const steps = this.#steps;
    const kube = await this.#startParts();
    const operator = await this.#startOperator(kube);
    const stores = {
      issuers: this.#follow(kube, issuers),
      certificates: this.#follow(kube, certificates),
    };
    await steps.run('Create the account’s Secret and a TinyCertIssuer', async () => {
      await this.#createIssuer(kube);
      await operator.during(this.#until(stores.issuers, 'example', isReady));
    });
    await steps.run('Create three TinyCertCertificates', async () => {
      await this.#createCertificate(kube, 'web', { dnsNames: ['www.example.com'] });
      await this.#createCertificate(kube, 'many-names', {
        commonName: 'example.com',
        dnsNames: ['example.com', '*.example.com', 'api.example.org'],
        ipAddresses: ['127.0.0.1', '2001:db8::1'],
        emailAddresses: ['admin@example.com'],
      });
      await operator.during(this.#until(stores.certificates, 'web', isReady));
      await operator.during(this.#until(stores.certificates, 'many-names', isReady));
      await this.#devServer?.setOptions({ validity: SHORT_LIFE });
      await this.#createCertificate(kube, 'short-lived', { dnsNames: ['short.example.com'] });
      await operator.during(this.#until(stores.certificates, 'short-lived', isReady));
    });
    const first = await steps.run('Serve each Secret as an ingress would, and connect', async () => {
      steps.note(describe('web', await this.#connect(kube, 'web', 'www.example.com')));
      steps.note(describe('many-names', await this.#connect(kube, 'many-names', 'anything.example.com')));
      const handshake = await this.#connect(kube, 'short-lived', 'short.example.com');
      steps.note(describe('short-lived', handshake));
      return handshake;
    });
    await steps.run(`Watch a certificate that lives ${SHORT_LIFE} being renewed`, async () => {
      const isRenewed = ({ status }: TinyCertCertificate): boolean => (status?.revision ?? 0) > 1;
      await operator.during(this.#until(stores.certificates, 'short-lived', isRenewed));
      const second = await this.#connect(kube, 'short-lived', 'short.example.com');
      if (second.publicKey !== first.publicKey) throw new Error('The renewed certificate has another key.');
      if (second.notAfter <= first.notAfter) throw new Error('The certificate was not renewed.');
      const left = (first.notAfter.getTime() - Date.now()) / 1000;
      steps.note(
        `${describe('short-lived', second)}; same key, renewed ${left.toFixed(0)} s before the old one ended`,
      );
    });
    const path = `/apis/${API_VERSION}/namespaces/${namespace}/${certificates.plural}`;
    console.log(
      `\n$ kubectl get tinycertcertificates --namespace ${namespace}\n${await kubectlGet(kube, path)}`,
    );
    console.log(`\nDone in ${steps.elapsed}.`);
  }

  /** How to go on while everything is up. */
  explain(): void {
    console.log(`
To go on, in another terminal:

  export KUBECONFIG=${this.#controlPlane?.kubeconfig}
  kubectl get tinycertcertificates --namespace ${namespace} --watch
  kubectl describe tinycertcertificate web --namespace ${namespace}

What the TinyCert server was asked: ${this.#devServer?.controlUrl}/journal
Ctrl-C ends all of it.`);
  }

  /** Ends everything that was started, in the reverse order. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#operator?.stop();
    await this.#kube?.transport.close();
    await this.#devServer?.stop();
    await this.#controlPlane?.stop();
  }

  async #startParts(): Promise<KubeClient> {
    const steps = this.#steps;
    const { signal } = this.#stopping;
    await steps.run('Find or build etcd and kube-apiserver', async (tell) => {
      const { source, version } = await ensureBinaries({ progress: tell, signal });
      steps.note(`${version}, from: ${source}`);
    });
    this.#controlPlane = await steps.run('Start etcd and kube-apiserver', () =>
      startControlPlane({ signal }),
    );
    await steps.run('Start a TinyCert-compatible server over TLS', async () => {
      this.#devServer = await startDevServer({ keyPool: 4 });
      steps.note(this.#devServer.endpoint);
    });
    const connection = await connect({ kubeconfig: this.#controlPlane.kubeconfig, clock: systemClock });
    const transport = new Transport({ connection, clock: systemClock, userAgent: 'tinycert-demo' });
    this.#kube = new KubeClient(transport, { fieldManager: 'tinycert-demo' });
    return this.#kube;
  }

  async #startOperator(kube: KubeClient): Promise<OperatorProcess> {
    const steps = this.#steps;
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
    return steps.run('Start the operator with its ServiceAccount', async () => {
      const kubeconfig = await this.#controlPlane?.kubeconfigFor({
        serviceAccount: { namespace: 'tinycert-operator', name: 'tinycert-operator' },
      });
      this.#operator = new OperatorProcess([
        `--kubeconfig=${kubeconfig}`,
        '--cluster-resource-namespace=tinycert-operator',
        `--allowed-endpoints=${this.#devServer?.endpoint}`,
        '--metrics-bind-address=0',
        '--health-probe-bind-address=0',
        '--log-format=text',
      ]);
      return this.#operator;
    });
  }

  async #createIssuer(kube: KubeClient): Promise<void> {
    const { endpoint, caPem, email, passphrase, apiKey } = this.#devServer as DevServer;
    await kube.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name: 'tinycert-account' },
      stringData: { email, passphrase, apiKey },
    });
    await kube.create(issuers, {
      apiVersion: API_VERSION,
      kind: issuers.kind,
      metadata: { namespace, name: 'example' },
      spec: {
        endpoint,
        caBundle: caPem,
        credentialsSecretRef: { name: 'tinycert-account' },
        authority: { name: 'Example Org' },
      },
    });
  }

  async #createCertificate(kube: KubeClient, name: string, names: Partial<CertificateSpec>): Promise<void> {
    await kube.create(certificates, {
      apiVersion: API_VERSION,
      kind: certificates.kind,
      metadata: { namespace, name },
      spec: { secretName: `${name}-tls`, issuerRef: { kind: 'TinyCertIssuer', name: 'example' }, ...names },
    });
  }

  async #connect(kube: KubeClient, name: string, servername: string): Promise<Handshake> {
    const secret: Secret = await kube.get(secrets, { namespace, name: `${name}-tls` });
    return handshake(secret, servername);
  }

  #follow<T extends KubeObject>(kube: KubeClient, type: ResourceType<T>): Store<T> {
    const { signal } = this.#stopping;
    return startInformer<T, T>({
      client: kube,
      type,
      project: (object) => object,
      clock: systemClock,
      log: silentLog,
      signal,
    }).store;
  }

  /** Waits until an object in the store is as wanted; fails with what it says of itself. */
  #until<T extends KubeObject>(store: Store<T>, name: string, isDone: (object: T) => boolean): Promise<void> {
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

function isReady(object: TinyCertIssuer | TinyCertCertificate): boolean {
  return conditionOf(object.status?.conditions, 'Ready')?.status === 'True';
}

function conditionsOf(object: KubeObject | undefined): unknown {
  return (object as { status?: { conditions?: unknown } } | undefined)?.status?.conditions ?? 'no status yet';
}

function describe(name: string, { protocol, subject, notAfter }: Handshake): string {
  return `${name}: ${protocol}, ${subject.split(', ').at(-1)}, until ${notAfter.toISOString().slice(0, 19)}Z`;
}

function build(): void {
  const { status, stderr } = spawnSync(process.execPath, ['tools/build/build.ts', '--operator'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The operator could not be built:\n${stderr}`);
}
