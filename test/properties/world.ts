import {
  certificates,
  clusterIssuers,
  issuers,
  type TinyCertCertificate,
  type TinyCertIssuer,
} from '../../src/api/kinds.ts';
import type { CertificateSpec } from '../../src/api/tinycert/certificate-spec.ts';
import { type ResourceType, secrets } from '../../src/kube/objects.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { CACERT_ENDPOINT } from './cacert/ca.ts';
import { CAcertWorld } from './cacert/world.ts';
import { MemoryCa } from './ca.ts';
import { Keys } from './keys.ts';
import { Cluster } from './cluster.ts';
import { Network } from './network.ts';
import { Operator } from './operator.ts';
import { seededRandom } from './random.ts';
import type { Wait } from './workers.ts';

/** The namespace of the operator, and of the credentials of cluster-wide issuers. */
export const OPERATOR = 'operator';

/** Longer than anything takes to end, in milliseconds. */
const CLOSING_MS = 300_000;
const SECOND = 1_000;
/** Within this time a deletion is seen and what the resource had is recorded, in milliseconds. */
const SEEN_MS = 2_000;

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
  issuer: IssuerName;
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
  /** Slots whose tenant has put back an earlier status, or that have lost theirs, once for each time. */
  readonly replays: { slot: string; at: number }[] = [];
  /** The statuses that resources have had, by uid, each once. */
  readonly #statuses = new Map<string, unknown[]>();
  /** From when to when no operator ran. */
  readonly downtimes: { from: number; to: number }[] = [];
  /** When resources without a finalizer were deleted. */
  readonly deletions: { uid: string; at: number }[] = [];
  #operator: Operator | undefined;
  cacert: CAcertWorld | undefined;
  readonly #keys = new Keys();
  readonly #cacertRandom: () => number;
  readonly #workers: number;
  readonly network: Network;
  readonly #systemRandom = Math.random;

  /** When keys waited for a worker. */
  readonly waits: Wait[] = [];

  constructor(seed: number, workers: number) {
    this.#workers = workers;
    this.random = seededRandom(seed);
    this.#cacertRandom = seededRandom(seed + 2);
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
    this.start();
  }

  /** CAcert, from the first step on that is about it. */
  useCAcert(): CAcertWorld {
    const { clock, network, cluster } = this;
    this.cacert ??= new CAcertWorld({ clock, network, cluster, random: this.#cacertRandom });
    return this.cacert;
  }

  /** The process that runs. */
  get operator(): Operator {
    if (!this.#operator) throw new Error('No operator runs');
    return this.#operator;
  }

  /** Whether an operator runs. */
  get isRunning(): boolean {
    return this.#operator !== undefined;
  }

  /** Starts an operator unless one runs. */
  start(): void {
    const { clock, waits, cluster } = this;
    const down = this.downtimes.at(-1);
    if (down) down.to = Math.min(down.to, clock.monotonic());
    const endpoints = [...this.cas.map(({ endpoint }) => endpoint), CACERT_ENDPOINT];
    this.#operator ??= new Operator({
      clock,
      transport: cluster.transport,
      namespace: OPERATOR,
      endpoints,
      workers: this.#workers,
      keys: this.#keys,
      waits,
    });
  }

  /** The operator ends: after what it has begun, or it dies. */
  async stop(how: 'gently' | 'dead'): Promise<void> {
    const operator = this.#operator;
    if (!operator) return;
    this.downtimes.push({ from: this.clock.monotonic(), to: Infinity });
    this.#operator = undefined;
    if (how === 'dead') {
      operator.die();
      this.network.forget();
      return;
    }
    await this.#ended(operator, false);
  }

  /** Ends everything. */
  async close(): Promise<void> {
    if (this.#operator) await this.#ended(this.#operator, true);
    this.network.close();
    this.#keys.close();
    Math.random = this.#systemRandom;
  }

  /** Lets an operator end. What is under way ends at its deadlines. */
  async #ended(operator: Operator, isForced: boolean): Promise<void> {
    const state = { isOver: false };
    const end = operator.end(isForced).then(() => {
      state.isOver = true;
    });
    for (let waited = 0; !state.isOver; waited += SECOND) {
      if (waited > CLOSING_MS) throw new Error('The operator does not end');
      await this.clock.advance(SECOND);
    }
    await end;
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

  /** Changes how a certificate is renewed. */
  changeRenewal(slot: Slot, spec: Pick<CertificateSpec, 'privateKey' | 'renewal'>): void {
    if (this.certificate(slot)?.metadata.deletionTimestamp === undefined && this.certificate(slot))
      this.cluster.patch(certificates, slot, { spec });
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
    this.replays.push({ slot: keyOfSlot(slot), at: this.clock.monotonic() });
  }

  /** What a resource has got goes, as with a backup that is put back: its status and its Secret. */
  loseResult(slot: Slot): void {
    const certificate = this.certificate(slot);
    if (!certificate) return;
    const status = Object.fromEntries(Object.keys(certificate.status ?? {}).map((field) => [field, null]));
    this.cluster.patch(certificates, slot, { status }, 'status');
    const secret = { namespace: slot.namespace, name: certificate.spec.secretName };
    if (this.cluster.get(secrets, secret)) this.cluster.delete(secrets, secret);
    this.replays.push({ slot: keyOfSlot(slot), at: this.clock.monotonic() });
  }

  deleteCertificate(slot: Slot): void {
    const certificate = this.certificate(slot);
    if (!certificate) return;
    this.cluster.delete(certificates, slot);
    const isGone = this.certificate(slot) === undefined;
    if (isGone) this.deletions.push({ uid: certificate.metadata.uid ?? '', at: this.clock.monotonic() });
  }

  /** Whether a resource may have gone, without a finalizer, before an operator had seen and recorded that. */
  isUnseen(uid: string): boolean {
    const deleted = this.deletions.find((each) => each.uid === uid)?.at;
    if (deleted === undefined) return false;
    const silence = this.cluster.silences.find(({ from, to }) => from <= deleted && deleted <= to);
    const seen = Math.max(deleted, silence?.to ?? 0) + SEEN_MS;
    return this.downtimes.some(({ from, to }) => from <= seen && to >= deleted);
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
      issuer,
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
