import type { Account } from '../../../src/account/tinycert-account.ts';
import { certificates, type TinyCertCertificate } from '../../../src/api/kinds.ts';
import { type CertificateRef, certificateKey } from '../../../src/api/tinycert/identity.ts';
import { OpenAttempts } from '../../../src/issuance/attempt/open-attempts.ts';
import { CertificateSecrets, type ChangedSecret } from '../../../src/issuance/secret/certificate-secrets.ts';
import { LastWritten } from '../../../src/issuance/status/last-written.ts';
import { RateLimiter } from '../../../src/issuance/status/rate-limit.ts';
import { StatusWriter } from '../../../src/issuance/status/writer.ts';
import {
  type Attempt,
  attemptOwner,
  groupOf,
  type OpenAttempt,
  requestKey,
} from '../../../src/issuance/tinycert/attempt.ts';
import { claimsOf } from '../../../src/issuance/tinycert/claims.ts';
import { IssuerDirectory, type ReadyIssuer } from '../../../src/issuance/tinycert/issuer-directory.ts';
import { tinycertKind } from '../../../src/issuance/tinycert/kind.ts';
import type { TinyCertView } from '../../../src/issuance/tinycert/records.ts';
import { requestHash, requestOf } from '../../../src/issuance/tinycert/request.ts';
import { sealOf } from '../../../src/issuance/tinycert/seal.ts';
import { BOUNDS } from '../../../src/journal/bounds.ts';
import { HighestIds } from '../../../src/journal/highest-ids.ts';
import { Section } from '../../../src/journal/section.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { type KubeObject, secrets } from '../../../src/kube/objects.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { createMetrics } from '../../../src/metrics/registry.ts';
import {
  type ReportedStatus,
  type ReportedSubject,
  type TinyCertClient,
  TinyCertError,
} from '../../../src/tinycert/index.ts';
import { attemptAt } from '../../../src/tinycert-certificates/context/attempts.ts';
import { RevocationRetries } from '../../../src/tinycert-certificates/context/revocation-retries.ts';
import type { Deps } from '../../../src/tinycert-certificates/context/deps.ts';
import type { Work } from '../../../src/tinycert-certificates/context/work.ts';
import { readCertificate } from '../../../src/x509/certificate.ts';
import { readPrivateKey } from '../../../src/x509/private-key.ts';
import type { JournalApi } from '../kube/journal-api.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { AUTHORITY, type Vector, Vectors } from '../x509/x509-vectors.ts';
import { accountOf } from './accounts.ts';
import { KubeFake } from './cacert-step.ts';
import { attempt, authority, certificate, inputs, readyIssuer, ref } from './inputs.ts';
import { tinycertView } from './tinycert-view.ts';

/** What the subject of every certificate of the stage has besides its common name. */
const SUBJECT = { country: 'NL', organization: 'Example' };

/** An authority of TinyCert and the certificates that it signs, made by the openssl command. */
export class TinyCertVectors {
  readonly vectors = new Vectors();
  readonly authority = this.vectors.make({ subject: '/C=NL/O=Example/CN=Example', extensions: AUTHORITY });
  /** A moment at which all of them are valid. */
  readonly now = readCertificate(this.authority.cert).notBefore + 60_000;

  /** A certificate for the spec of the builders. */
  sign(serial: string): Vector {
    return this.vectors.make({
      subject: '/C=NL/O=Example/CN=www.example.com',
      issuer: this.authority,
      extensions: ['subjectAltName=DNS:www.example.com'],
      serial,
    });
  }

  /** The resource's own Secret with a certificate, which its annotations name so. */
  inSecret({ cert, key }: Vector, certificateId: number): ChangedSecret {
    return {
      state: 'changed',
      metadata: { namespace: 'ns', name: 'web-tls', uid: 'secret-uid', resourceVersion: '11' },
      content: {
        leaf: readCertificate(cert),
        intermediates: [],
        root: readCertificate(this.authority.cert),
        key: readPrivateKey(key),
        claimed: ref(certificateId),
      },
      hasOutputs: true,
      hasMetadata: true,
    };
  }

  remove(): void {
    this.vectors.remove();
  }
}

/** A certificate at the fake TinyCert. */
export interface AtCa {
  vector?: Vector;
  status?: ReportedStatus;
  /** By default those that the spec of the builders asks for. */
  subject?: ReportedSubject;
  name?: string;
}

type Given = Parameters<typeof inputs>[0] & object;

/** A step on a fake API server, a fake TinyCert and a virtual clock, and what it leaves behind. */
export class TinyCertStage {
  readonly clock: VirtualClock;
  readonly kube = new KubeFake();
  /** The object with the journal. */
  readonly journal: JournalApi;
  readonly view: TinyCertView;
  readonly account: Account;
  readonly issuer: ReadyIssuer;
  readonly deps: Deps;
  readonly highest = new HighestIds(BOUNDS.highestIds);
  /** Reason of each event, in order. */
  readonly events: string[] = [];
  /** Reason and message of each event on the operator's Pod, in order. */
  readonly operatorEvents: [reason: string, message: string][] = [];
  /** The calls that buy something, in order. */
  readonly bought: string[] = [];
  /** What TinyCert has, by id. */
  readonly atCa = new Map<number, AtCa>();
  /** Calls that TinyCert answers once more with NotFound, such as `cert/get 9`, each as often as it is here. */
  readonly notFound: string[] = [];
  /** The other resources in the cluster. */
  others: TinyCertCertificate[] = [];
  readonly abort = new AbortController();
  leads = true;
  /** Runs right before the first byte would leave. */
  beforeSend: () => Promise<void> | void = () => undefined;
  /** How TinyCert answers a call that buys something. */
  answer: () => Promise<number> | number = () => 8;
  readonly #metrics = createMetrics({ process: false });

  /** `texts`: what the journal holds at first, by key. */
  constructor(
    options: {
      vectors?: TinyCertVectors;
      issuer?: Partial<ReadyIssuer>;
      texts?: Readonly<{ [key: string]: string }>;
      /** The journal was missing or put back when it was taken over. */
      lacksEntriesBefore?: number | undefined;
    } = {},
  ) {
    const { vectors, texts = {}, lacksEntriesBefore } = options;
    const clock = new VirtualClock(vectors?.now ?? inputs().now);
    this.clock = clock;
    ({ view: this.view, api: this.journal } = tinycertView(clock, {
      texts,
      lacksEntriesBefore,
      leads: () => this.leads,
    }));
    this.account = accountOf(clock, this.#client);
    const root = vectors && readCertificate(vectors.authority.cert);
    this.issuer = {
      ...readyIssuer,
      account: this.account,
      material: () => Promise.resolve({ root: root as never, subject: SUBJECT, hashAlgorithm: 'sha256' }),
      hasMaterial: () => true,
      ...options.issuer,
    };
    this.deps = this.#deps();
  }

  #deps(): Deps {
    const { clock, view } = this;
    const kube = this.kube as unknown as KubeClient;
    const writtenSecrets = new LastWritten<KubeObject>({ clock });
    const writtenCertificates = new LastWritten<TinyCertCertificate>({ clock });
    const crds = { fit: true, check: () => Promise.resolve(), doubt: () => undefined };
    const directory = new IssuerDirectory();
    directory.set(this.issuer.key, { ready: true, issuer: this.issuer });
    const byIndex = (_: string, key: string): TinyCertCertificate[] =>
      this.others.filter(({ status }) => claimsOf(status).some((claim) => certificateKey(claim) === key));
    return {
      kube,
      clock,
      timing: tinycertKind.timing,
      metrics: this.#metrics.certificates,
      warn: (_, reason) => this.events.push(reason),
      warnOperator: (...event) => this.operatorEvents.push(event),
      leads: () => this.leads,
      crds,
      certificates: { byIndex, get: () => undefined } as unknown as Deps['certificates'],
      listCertificates: () => Promise.resolve(this.others),
      directory,
      wake: () => undefined,
      attempts: new OpenAttempts<CertificateRef>(),
      journal: new Section(() => view, { highest: this.highest, refused: () => undefined }),
      revocationRetries: new RevocationRetries(),
      lastSessions: { get: () => undefined, of: () => undefined },
      leftoverSecrets: { of: () => Promise.resolve([]) },
      adopting: new Set(),
      repairLimiter: new RateLimiter(clock),
      reportLimiter: new RateLimiter(clock),
      writtenCertificates,
      writtenSecrets,
      statuses: new StatusWriter({ kube, clock, kind: tinycertKind, crds, written: writtenCertificates }),
      certificateSecrets: new CertificateSecrets({
        kube,
        kind: tinycertKind,
        certificates: { get: () => undefined },
        watched: { get: () => undefined },
        written: writtenSecrets,
        claims: { elderOf: () => undefined },
        isOpen: () => false,
      }),
    } as Partial<Deps> as Deps;
  }

  /** Work on these inputs, whose resource and Secret exist at the API server. The status is sealed unless `sealed` is false. */
  work(given: Given = {}): Work {
    const { clock, deps, issuer, view, abort } = this;
    const { sealed = true, status } = given;
    const made = inputs({
      issuer: { ready: true, issuer },
      now: clock.now(),
      monotonic: clock.monotonic(),
      attempt: this.found(),
      ...given,
      sealed,
      ...(status && sealed ? { status: { ...status, seal: sealOf(this.account, 'uid', status) } } : {}),
    });
    this.kube.put(certificates, made.certificate);
    const { secret } = made;
    if ('metadata' in secret && secret.metadata) this.kube.put(secrets, { metadata: secret.metadata });
    return { deps, inputs: made, issuer, view, signal: abort.signal, log: silentLog };
  }

  /** The resource as it is stored. */
  stored(): TinyCertCertificate {
    const found = this.kube.now(certificates, { namespace: 'ns', name: 'web' });
    if (!found) throw new Error('The resource is gone.');
    return found;
  }

  /** What the resource of the builders asks TinyCert for at this moment. */
  async attempt(change: Partial<Attempt> = {}): Promise<Attempt> {
    const now = this.clock.now();
    const request = requestOf(certificate(), this.issuer, await this.issuer.material());
    return {
      ...attempt,
      startTime: new Date(now).toISOString(),
      requestHash: requestHash(request),
      since: new Date(now - 3_600_000).toISOString(),
      until: new Date(now + 3_600_000).toISOString(),
      ...change,
    };
  }

  /** An attempt in the journal that was sent, as a reconcile finds it. `uid`: of its resource. */
  async opened(change: Partial<Attempt> = {}, uid = 'uid'): Promise<OpenAttempt> {
    const made = await this.attempt(change);
    const owner = attemptOwner(uid, made.account);
    const request = requestKey(made, made);
    const opened = await this.view.open({
      owner,
      group: groupOf(made, 'ns'),
      ...(request === undefined ? {} : { request }),
      make: () => made,
    });
    if (opened.is !== 'open') throw new Error('The journal has no room.');
    this.deps.attempts.sent(owner, opened.id, this.clock.monotonic());
    return this.present(uid, made.account);
  }

  /** The attempt of a resource at an account that is in the journal, and what this process knows of it. */
  found(uid = 'uid', at = authority.account): OpenAttempt | undefined {
    const { metadata } = certificate();
    const resource = { metadata: { ...metadata, uid } };
    return attemptAt(this.deps, this.view, resource, at, false).attempt;
  }

  /** The same, of which there has to be one. */
  present(uid = 'uid', at = authority.account): OpenAttempt {
    const found = this.found(uid, at);
    if (!found) throw new Error('There is no attempt.');
    return found;
  }

  /** What the journal has on record, in short. */
  get records(): string[] {
    return [...this.view.records()].map((each) =>
      each.is === 'released' ? `released ${each.certificateId} ${each.cause}` : `abandoned ${each.uid}`,
    );
  }

  /** Writes what waits for another write of the journal. */
  async flush(): Promise<void> {
    await this.clock.advance(1_000);
  }

  /** How often an attempt ended with this outcome. */
  async counted(outcome: string): Promise<number> {
    const { values } = await this.deps.metrics.issuances.get();
    return values
      .filter(({ labels }) => labels.outcome === outcome)
      .reduce((sum, { value }) => sum + value, 0);
  }

  readonly #buy = async (call: string, beforeSend: (() => void) | undefined): Promise<number> => {
    await this.beforeSend();
    beforeSend?.();
    this.bought.push(call);
    return this.answer();
  };

  #at(call: string, id: number): AtCa {
    const found = this.atCa.get(id);
    const wrong = this.notFound.indexOf(`${call} ${id}`);
    if (wrong >= 0) this.notFound.splice(wrong, 1);
    if (!found || wrong >= 0) throw new TinyCertError('NotFound', { call });
    return found;
  }

  readonly #client: Partial<TinyCertClient> = {
    clockOffset: () => undefined,
    createCertificate: (_, options) => this.#buy('cert/new', options?.beforeSend),
    reissueCertificate: (id, options) => this.#buy(`cert/reissue ${id}`, options?.beforeSend),
    getCertificate: (async (id: number, what: string) => {
      const { vector } = this.#at('cert/get', id);
      return (what === 'key.dec' ? vector?.key : vector?.cert) ?? '';
    }) as TinyCertClient['getCertificate'],
    getCertificateDetails: async (id) => {
      const { status = 'good', subject, name = 'www.example.com' } = this.#at('cert/details', id);
      return {
        id,
        status,
        subject: { commonName: name, ...SUBJECT, ...subject },
        alternativeNames: [{ type: 'DNS', value: name }],
        otherNames: [],
      };
    },
    streamCertificates: async (_, __, onEntry) => {
      const listed = [...this.atCa].filter(([, { status }]) => status !== 'obsolete');
      for (const [id, { status = 'good', name: commonName = 'www.example.com' }] of listed)
        onEntry({ id, commonName, status, expires: 2_000_000_000 });
      return listed.length;
    },
  };
}
