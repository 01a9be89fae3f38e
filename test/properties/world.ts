import { cacertAccounts } from '../../src/account/cacert-accounts.ts';
import { tinycertAccounts } from '../../src/account/tinycert-accounts.ts';
import {
  certificates,
  clusterIssuers,
  issuers,
  type TinyCertCertificate,
  type TinyCertIssuer,
} from '../../src/api/kinds.ts';
import type { CertificateSpec } from '../../src/api/tinycert/certificate-spec.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { type ResourceType, secrets } from '../../src/kube/objects.ts';
import { silentLog } from '../../src/lib/log.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import { type Controllers, startControllers } from '../../src/operator/controllers.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { MemoryCa } from './ca.ts';
import { Cluster } from './cluster.ts';
import { Network } from './network.ts';
import { seededRandom } from './random.ts';
import { noting, type Wait } from './workers.ts';

/** The namespace of the operator, and of the credentials of cluster-wide issuers. */
export const OPERATOR = 'operator';

/** Longer than anything takes to end, in milliseconds. */
const CLOSING_MS = 60_000;

/** A name for a certificate. The two `a` ask for the same, from two namespaces; the `b` ask for revocations. */
export interface Slot {
  namespace: string;
  name: string;
}

export const SLOTS: readonly Slot[] = [
  { namespace: 'one', name: 'a' },
  { namespace: 'two', name: 'a' },
  { namespace: 'one', name: 'b' },
];

/** The issuers: `x` and `z` are at one account, `y` is at another one that numbers alike, and `none` does not exist. */
export const ISSUERS = ['x', 'y', 'z', 'none'] as const;
/** Those that exist at the start. */
export const REAL_ISSUERS = ['x', 'y', 'z'] as const;
export type IssuerName = (typeof ISSUERS)[number];

/** One thing that a resource wanted: at most one certificate is bought for each. */
export interface Wish {
  slot: string;
  uid: string;
  /** The names that it asks for. */
  commonName: string;
  /** The CA to ask; undefined if there is no such issuer. */
  ca: string | undefined;
  /** What is to happen to the certificate in the end. */
  isRevoked: boolean;
  /** When it was wished for, on the monotonic clock. */
  at: number;
}

/**
 * Two CAs, a cluster and the operator's own controllers, all in this process and in virtual time. Everything random follows from a
 * seed, so that a list of steps always leads to the same.
 */
export class World {
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly cas: readonly [MemoryCa, MemoryCa];
  readonly cluster: Cluster;
  readonly wishes: Wish[] = [];
  /** Slots whose tenant has put back an earlier status, once for each time. */
  readonly replays: string[] = [];
  /** The statuses that resources have had, by uid, each once. */
  readonly #statuses = new Map<string, unknown[]>();
  readonly controllers: Controllers;
  readonly accounts: ReturnType<typeof tinycertAccounts>;
  readonly network: Network;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #systemRandom = Math.random;

  /** When keys waited for a worker. */
  readonly waits: Wait[] = [];

  constructor(seed: number, workers: number) {
    this.random = seededRandom(seed);
    // Jitter of backoffs and watches.
    Math.random = seededRandom(seed + 1);
    const { clock, random } = this;
    this.network = new Network(clock);
    const common = { clock, random, network: this.network };
    this.cas = [
      new MemoryCa({ name: 'A', port: 1, ...common }),
      new MemoryCa({ name: 'B', port: 2, ...common }),
    ];
    this.cluster = new Cluster(clock, random);
    for (const name of REAL_ISSUERS) {
      this.writeCredentials(name);
      this.createIssuer(name);
    }
    const metrics = createMetrics();
    this.accounts = tinycertAccounts({
      clock,
      sealKey: () => Buffer.alloc(32, 7),
      metrics: { calls: metrics.tinycert, accounts: metrics.accounts },
    });
    this.controllers = startControllers({
      kube: new KubeClient(this.cluster.transport, { fieldManager: 'test' }),
      clock,
      log: silentLog,
      metrics: { ...metrics, queue: noting(metrics.queue, clock, this.waits) },
      accounts: this.accounts,
      sealKey: () => Buffer.alloc(32, 7),
      cacertAccounts: cacertAccounts({
        clock,
        metrics: { calls: metrics.cacert, accounts: metrics.accounts },
      }),
      settings: {
        namespaces: undefined,
        concurrency: workers,
        allowedEndpoints: this.cas.map(({ endpoint }) => endpoint),
      },
      namespace: OPERATOR,
      holder: 'us',
      lease: () => undefined,
      crds: { fit: true, check: () => Promise.resolve(), doubt: () => undefined },
      leads: () => true,
      stop: { gentle: this.#stop.signal, forced: this.#stop.signal },
    });
    this.#running = this.controllers.run();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#stop.abort();
    const closed = Promise.all([this.#running, this.controllers.close(), this.accounts.close()]);
    // What is under way ends at its deadlines.
    await Promise.all([closed, this.clock.advance(CLOSING_MS)]);
    this.network.close();
    Math.random = this.#systemRandom;
  }

  /** The CA of an issuer by name. */
  caOf(issuer: IssuerName): MemoryCa {
    return this.cas[issuer === 'y' ? 1 : 0];
  }

  /** The kind and place of an issuer: `z` is in the namespace `one`, the others are cluster-wide. */
  issuerPlace(name: IssuerName): {
    type: ResourceType<TinyCertIssuer>;
    ref: { namespace?: string; name: string };
  } {
    return name === 'z'
      ? { type: issuers, ref: { namespace: 'one', name } }
      : { type: clusterIssuers, ref: { name } };
  }

  issuer(name: IssuerName): TinyCertIssuer | undefined {
    const { type, ref } = this.issuerPlace(name);
    return this.cluster.get(type, ref);
  }

  createIssuer(name: IssuerName): void {
    const { type, ref } = this.issuerPlace(name);
    if (this.cluster.get(type, ref)) return;
    const { endpoint, authorityId } = this.caOf(name);
    this.cluster.create(type, {
      metadata: ref,
      spec: { endpoint, credentialsSecretRef: { name: `login-${name}` }, authority: { id: authorityId } },
    });
  }

  deleteIssuer(name: IssuerName): void {
    const { type, ref } = this.issuerPlace(name);
    if (!this.cluster.get(type, ref)) return;
    this.cluster.delete(type, ref);
  }

  /** The Secret with an issuer's credentials. */
  loginRef(name: IssuerName): { namespace: string; name: string } {
    return { namespace: name === 'z' ? 'one' : OPERATOR, name: `login-${name}` };
  }

  /** Writes the credentials that are right now, or such with another API key. */
  writeCredentials(name: IssuerName, apiKey = this.caOf(name).account.apiKey): void {
    const { email, passphrase } = this.caOf(name).account;
    const text = { email, passphrase, apiKey };
    const data = Object.fromEntries(
      Object.entries(text).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    const ref = this.loginRef(name);
    if (this.cluster.get(secrets, ref)) this.cluster.patch(secrets, ref, { data });
    else this.cluster.create(secrets, { metadata: ref, data });
  }

  /** Whether an issuer's credentials are right. */
  isLoginRight(name: IssuerName): boolean {
    if (name === 'none') return true;
    const { data } = this.cluster.get(secrets, this.loginRef(name)) ?? {};
    return Buffer.from(data?.['apiKey'] ?? '', 'base64').toString() === this.caOf(name).account.apiKey;
  }

  certificate(slot: Slot): TinyCertCertificate | undefined {
    return this.cluster.get(certificates, slot);
  }

  createCertificate(slot: Slot, variant: number, issuer: IssuerName): void {
    if (this.certificate(slot)) return;
    const isRevoked = slot.name === 'b';
    const spec: CertificateSpec = {
      secretName: `${slot.name}-tls`,
      issuerRef: issuerRef(slot, issuer),
      dnsNames: [commonNameOf(slot, variant)],
      ...(isRevoked
        ? {
            revocation: {
              onDelete: 'Revoke',
              onReplace: 'Revoke',
              delay: '5m',
              onExternalRevocation: 'Report',
            } as const,
          }
        : {}),
    };
    this.cluster.create(certificates, { metadata: slot, spec });
    this.#wish(slot);
  }

  /** Changes the spec of a certificate. */
  changeCertificate(slot: Slot, change: { variant?: number; issuer?: IssuerName }): void {
    const certificate = this.certificate(slot);
    if (!certificate || certificate.metadata.deletionTimestamp !== undefined) return;
    const { variant, issuer } = change;
    this.cluster.patch(certificates, slot, {
      spec: {
        ...(variant === undefined ? {} : { dnsNames: [commonNameOf(slot, variant)] }),
        ...(issuer === undefined ? {} : { issuerRef: issuerRef(slot, issuer) }),
      },
    });
    if (this.certificate(slot)?.metadata.generation !== certificate.metadata.generation) this.#wish(slot);
  }

  /** Remembers the present statuses, as a tenant may. */
  noteStatuses(): void {
    for (const { metadata, status } of this.cluster.all(certificates)) {
      const known = this.#statuses.get(metadata.uid ?? '') ?? [];
      this.#statuses.set(metadata.uid ?? '', known);
      if (status && JSON.stringify(status) !== JSON.stringify(known.at(-1)))
        known.push(structuredClone(status));
    }
  }

  /** Puts back the status that a resource had so many versions ago, seal and all. */
  replayStatus(slot: Slot, back: number): void {
    const certificate = this.certificate(slot);
    const earlier = this.#statuses.get(certificate?.metadata.uid ?? '')?.at(-1 - back);
    if (!certificate || earlier === undefined) return;
    const gone = Object.keys(certificate.status ?? {}).map((field) => [field, null]);
    const status = { ...Object.fromEntries(gone), ...structuredClone(earlier) } as object;
    this.cluster.patch(certificates, slot, { status }, 'status');
    this.replays.push(keyOfSlot(slot));
  }

  deleteCertificate(slot: Slot): void {
    if (this.certificate(slot)) this.cluster.delete(certificates, slot);
  }

  #wish(slot: Slot): void {
    const { spec, metadata } = this.certificate(slot) ?? {};
    const [commonName = ''] = spec?.dnsNames ?? [];
    const issuer = spec?.issuerRef.name as IssuerName;
    const ca = issuer === 'none' ? undefined : this.caOf(issuer).name;
    this.wishes.push({
      slot: keyOfSlot(slot),
      uid: metadata?.uid ?? '',
      commonName,
      ca,
      isRevoked: slot.name === 'b',
      at: this.clock.monotonic(),
    });
  }
}

export function keyOfSlot({ namespace, name }: Slot): string {
  return `${namespace}/${name}`;
}

function commonNameOf({ name }: Slot, variant: number): string {
  return `${name}${variant}.example.com`;
}

function issuerRef({ namespace }: Slot, name: IssuerName): CertificateSpec['issuerRef'] {
  // Only the namespace `one` has an issuer of its own.
  if (name === 'z' && namespace === 'one') return { kind: 'TinyCertIssuer', name };
  return { kind: 'TinyCertClusterIssuer', name: name === 'z' ? 'x' : name };
}
