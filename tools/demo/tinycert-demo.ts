import { certificates, issuers, type TinyCertCertificate, type TinyCertIssuer } from '../../src/api/kinds.ts';
import type { CertificateSpec } from '../../src/api/tinycert/certificate-spec.ts';
import { API_VERSION } from '../../src/api/names.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { secrets } from '../../src/kube/objects.ts';
import { type DevServer, startDevServer } from '../dev-server/index.ts';
import { type Handshake, handshake } from './handshake.ts';
import { namespace, Parts, type Show } from './parts.ts';
import { kubectlGet } from './table.ts';

const SHORT_LIFE = '20s';

/** Shows the main job, from nothing to a renewed certificate, step by step. */
export class TinyCertDemo implements Show {
  readonly parts = new Parts();
  #devServer: DevServer | undefined;

  async show(): Promise<void> {
    const { parts } = this;
    const { steps } = parts;
    const devServer = await parts.start('TinyCert', () => startDevServer({ keyPool: 4 }));
    this.#devServer = devServer;
    const stores = { issuers: parts.follow(issuers), certificates: parts.follow(certificates) };
    await steps.run('Create the account’s Secret and a TinyCertIssuer', async () => {
      await this.#createIssuer(devServer);
      await parts.during(parts.until(stores.issuers, 'example', isReady));
    });
    await steps.run('Create three TinyCertCertificates', async () => {
      await this.#createCertificate('web', { dnsNames: ['www.example.com'] });
      await this.#createCertificate('many-names', {
        commonName: 'example.com',
        dnsNames: ['example.com', '*.example.com', 'api.example.org'],
        ipAddresses: ['127.0.0.1', '2001:db8::1'],
        emailAddresses: ['admin@example.com'],
      });
      await parts.during(parts.until(stores.certificates, 'web', isReady));
      await parts.during(parts.until(stores.certificates, 'many-names', isReady));
      await devServer.setOptions({ validity: SHORT_LIFE });
      await this.#createCertificate('short-lived', { dnsNames: ['short.example.com'] });
      await parts.during(parts.until(stores.certificates, 'short-lived', isReady));
    });
    const first = await steps.run('Serve each Secret as an ingress would, and connect', async () => {
      steps.note(describe('web', await this.#connect('web', 'www.example.com')));
      steps.note(describe('many-names', await this.#connect('many-names', 'anything.example.com')));
      const handshake = await this.#connect('short-lived', 'short.example.com');
      steps.note(describe('short-lived', handshake));
      return handshake;
    });
    await steps.run(`Watch a certificate that lives ${SHORT_LIFE} being renewed`, async () => {
      const isRenewed = ({ status }: TinyCertCertificate): boolean => (status?.revision ?? 0) > 1;
      await parts.during(parts.until(stores.certificates, 'short-lived', isRenewed));
      const second = await this.#connect('short-lived', 'short.example.com');
      if (second.publicKey !== first.publicKey) throw new Error('The renewed certificate has another key.');
      if (second.notAfter <= first.notAfter) throw new Error('The certificate was not renewed.');
      const left = (first.notAfter.getTime() - Date.now()) / 1000;
      steps.note(
        `${describe('short-lived', second)}; same key, renewed ${left.toFixed(0)} s before the old one ended`,
      );
    });
    const path = `/apis/${API_VERSION}/namespaces/${namespace}/${certificates.plural}`;
    console.log(
      `\n$ kubectl get tinycertcertificates --namespace ${namespace}\n${await kubectlGet(parts.kube, path)}`,
    );
    console.log(`\nDone in ${steps.elapsed}.`);
  }

  /** What to try while everything is running. */
  explain(): void {
    console.log(`
To go on, in another terminal:

  export KUBECONFIG=${this.parts.kubeconfig}
  kubectl get tinycertcertificates --namespace ${namespace} --watch
  kubectl describe tinycertcertificate web --namespace ${namespace}

What the TinyCert server was asked: ${this.#devServer?.controlUrl}/journal
Ctrl-C ends all of it.`);
  }

  /** Ends everything that was started. */
  stop(): Promise<void> {
    return this.parts.stop();
  }

  async #createIssuer(devServer: DevServer): Promise<void> {
    const { kube } = this.parts;
    const { endpoint, caPem, email, passphrase, apiKey } = devServer;
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

  async #createCertificate(name: string, names: Partial<CertificateSpec>): Promise<void> {
    await this.parts.kube.create(certificates, {
      apiVersion: API_VERSION,
      kind: certificates.kind,
      metadata: { namespace, name },
      spec: { secretName: `${name}-tls`, issuerRef: { kind: 'TinyCertIssuer', name: 'example' }, ...names },
    });
  }

  async #connect(name: string, servername: string): Promise<Handshake> {
    const secret = await this.parts.kube.get(secrets, { namespace, name: `${name}-tls` });
    return handshake(secret, servername);
  }
}

function isReady(object: TinyCertIssuer | TinyCertCertificate): boolean {
  return conditionOf(object.status?.conditions, 'Ready')?.status === 'True';
}

function describe(name: string, { protocol, subject, notAfter }: Handshake): string {
  return `${name}: ${protocol}, ${subject.split(', ').at(-1)}, until ${notAfter.toISOString().slice(0, 19)}Z`;
}
