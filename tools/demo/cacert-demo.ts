import type { CAcertCertificateSpec } from '../../src/api/cacert/certificate-spec.ts';
import { cacertAccounts, cacertCertificates } from '../../src/api/kinds.ts';
import { API_VERSION } from '../../src/api/names.ts';
import { conditionOf } from '../../src/issuance/status/conditions.ts';
import { type Condition, secrets } from '../../src/kube/objects.ts';
import { type CAcertServer, startCAcertServer } from '../dev-server/index.ts';
import { mailed } from './mail.ts';
import { mutualHandshake } from './mutual-handshake.ts';
import { namespace, Parts, type Show } from './parts.ts';
import { kubectlGet } from './table.ts';

const EMAIL = 'jane@example.org';
const NAME = 'Jane Doe';

/** Shows a CAcert client certificate, from the account to a handshake and a signed mail. */
export class CAcertDemo implements Show {
  readonly parts = new Parts();
  #server: CAcertServer | undefined;

  async show(): Promise<void> {
    const { parts } = this;
    const { steps } = parts;
    const member = { username: EMAIL, password: 'correct horse', firstName: 'Jane', lastName: 'Doe' };
    const server = await parts.start('CAcert', () => startCAcertServer({ members: [member] }));
    this.#server = server;
    const stores = {
      accounts: parts.follow(cacertAccounts),
      certificates: parts.follow(cacertCertificates),
    };
    await steps.run('Create the login’s Secret and a CAcertAccount', async () => {
      await this.#createAccount(server);
      await parts.during(parts.until(stores.accounts, 'jane', isReady));
      const { names = [], emails = [] } = stores.accounts.get(`${namespace}/jane`)?.status ?? {};
      steps.note(`names: ${names.join(', ')}; addresses: ${emails.join(', ')}`);
    });
    await steps.run(
      'Create a CAcertCertificate: the operator makes key and request, CAcert signs',
      async () => {
        await this.#createCertificate('jane-mail', { commonName: NAME, emailAddresses: [EMAIL] });
        await parts.during(parts.until(stores.certificates, 'jane-mail', isReady));
        const { serialNumber, notAfter, issuer } =
          stores.certificates.get(`${namespace}/jane-mail`)?.status ?? {};
        steps.note(`serial ${serialNumber} of ${issuer}, until ${notAfter}`);
      },
    );
    const secret = await parts.kube.get(secrets, { namespace, name: 'jane-mail-tls' });
    await steps.run('Show it to a server that asks for client certificates', async () => {
      const { protocol, client } = await mutualHandshake(secret);
      if (client !== NAME) throw new Error(`The server took the client for ${client}.`);
      steps.note(`${protocol}; the server knows the client as ${client}`);
    });
    await steps.run('Sign a message with OpenSSL, and verify it', async () => {
      const { signer, size } = await mailed(secret, EMAIL);
      steps.note(`S/MIME message of ${size} bytes, signed by ${signer}, verified under ca.crt`);
    });
    const path = `/apis/${API_VERSION}/namespaces/${namespace}/${cacertCertificates.plural}`;
    console.log(
      `\n$ kubectl get cacertcertificates --namespace ${namespace}\n${await kubectlGet(parts.kube, path)}`,
    );
    console.log(`\nDone in ${steps.elapsed}.`);
  }

  /** What to try while everything is running. */
  explain(): void {
    console.log(`
To go on, in another terminal:

  export KUBECONFIG=${this.parts.kubeconfig}
  kubectl get cacertaccounts,cacertcertificates --namespace ${namespace}
  kubectl describe cacertcertificate jane-mail --namespace ${namespace}

What the CAcert server was asked: ${this.#server?.controlUrl}/journal
Ctrl-C ends all of it.`);
  }

  /** Ends everything that was started. */
  stop(): Promise<void> {
    return this.parts.stop();
  }

  async #createAccount({ endpoint, caPem, username, password }: CAcertServer): Promise<void> {
    const { kube } = this.parts;
    await kube.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name: 'jane-login' },
      stringData: { username, password },
    });
    await kube.create(cacertAccounts, {
      apiVersion: API_VERSION,
      kind: cacertAccounts.kind,
      metadata: { namespace, name: 'jane' },
      spec: { endpoint, caBundle: caPem, credentialsSecretRef: { name: 'jane-login' } },
    });
  }

  async #createCertificate(
    name: string,
    spec: Pick<CAcertCertificateSpec, 'commonName' | 'emailAddresses'>,
  ): Promise<void> {
    await this.parts.kube.create(cacertCertificates, {
      apiVersion: API_VERSION,
      kind: cacertCertificates.kind,
      metadata: { namespace, name },
      spec: { secretName: `${name}-tls`, accountRef: { name: 'jane' }, ...spec },
    });
  }
}

function isReady({ status }: { status?: { conditions?: Condition[] } }): boolean {
  return conditionOf(status?.conditions, 'Ready')?.status === 'True';
}
