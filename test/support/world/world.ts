import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { SEAL_KEY_SECRET } from '../../../src/account/seal-key.ts';
import {
  certificates,
  issuers,
  type TinyCertCertificate,
  type TinyCertIssuer,
} from '../../../src/api/kinds.ts';
import { accountDigest, type CertificateRef } from '../../../src/api/tinycert/identity.ts';
import type { CertificateSpec } from '../../../src/api/tinycert/certificate-spec.ts';
import type { IssuerSpec } from '../../../src/api/tinycert/issuer-spec.ts';
import { conditionOf } from '../../../src/issuance/status/conditions.ts';
import {
  type Condition,
  type KubeObject,
  type ResourceType,
  type Secret,
  secrets,
} from '../../../src/kube/objects.ts';
import { collectionPath } from '../../../src/kube/paths.ts';
import type { Settings } from '../../../src/operator/flags.ts';
import type { JournalEntry } from '../../../tools/dev-server/types.ts';
import { namespaces } from './crds.ts';
import { type TestOperator, startOperator } from './operator.ts';
import type { Stage } from './stage.ts';
import { counted, isManaged, type WatchedObject } from './traffic.ts';
import { watchDeletion, watchUntil, watchUntilAll } from '../kube/watching.ts';

/** The calls and writes within some time, counted. */
export interface Tally {
  calls: Record<string, number>;
  writes: Record<string, number>;
}

/** Part of a spec as a user writes it; undefined removes a default field. */
type Written<T> = { [Field in keyof T]?: unknown };

/** One test's part of the stage: a namespace of its own, and the calls to the CA since it began. */
export class World {
  readonly stage: Stage;
  readonly namespace: string;
  readonly #since: number;
  readonly #written: { object: WatchedObject; version: number }[] = [];

  constructor(stage: Stage, namespace: string) {
    this.stage = stage;
    this.namespace = namespace;
    this.#since = this.mark();
  }

  /** The calls that the CA has seen in this test, or since a `mark`, counted. */
  calls(since = this.#since): Record<string, number> {
    return counted(this.stage.dev.journal(since).map(({ call }) => call));
  }

  /** The first call in this test that `matches`, present or future. A call is checked again when it ends. */
  call(matches: (entry: JournalEntry) => boolean): Promise<JournalEntry> {
    return this.stage.dev.waitForCall((entry) => entry.seq > this.#since && matches(entry));
  }

  /** The present position in the CA's journal. */
  mark(): number {
    return this.stage.dev.journal().at(-1)?.seq ?? 0;
  }

  /** Begins to count; the result returns the calls and writes that the CA and the API server got since then. */
  tally(operator: TestOperator): () => Tally {
    const mark = this.mark();
    const sent = operator.traffic.mark();
    return () => ({ calls: this.calls(mark), writes: operator.traffic.writes(sent) });
  }

  /** An operator of only this namespace. */
  async operator(settings: Partial<Settings> = {}): Promise<TestOperator> {
    return startOperator(this.stage, {
      namespaces: [this.namespace],
      clusterResourceNamespace: this.namespace,
      ...settings,
    });
  }

  /** The Secret `account` with the credentials of the dev server, or with others. */
  credentials(changed: Record<string, string> = {}): Promise<Secret> {
    const { email, passphrase, apiKey } = this.stage.dev;
    return this.create(secrets, 'account', { stringData: { email, passphrase, apiKey, ...changed } });
  }

  /** The issuer `ca` with the dev server's own authority. */
  issuer(spec: Written<IssuerSpec> = {}): Promise<TinyCertIssuer> {
    const { endpoint, caPem, authorityId } = this.stage.dev;
    const whole = {
      endpoint,
      ...(caPem === '' ? {} : { caBundle: caPem }),
      credentialsSecretRef: { name: 'account' },
      authority: { id: authorityId },
      ...spec,
    };
    return this.create(issuers, 'ca', { spec: whole as IssuerSpec });
  }

  /** A certificate, by default for `<name>.example.com` from `ca` in the Secret `<name>-tls`. */
  certificate(name: string, spec: Written<CertificateSpec> = {}): Promise<TinyCertCertificate> {
    const whole = {
      secretName: `${name}-tls`,
      issuerRef: { name: 'ca' },
      dnsNames: [`${name}.example.com`],
      ...spec,
    };
    return this.create(certificates, name, { spec: whole as CertificateSpec });
  }

  /** The certificate with this id of the dev server's own authority, as a status names it. */
  named(certificateId: number, authorityId = this.stage.dev.authorityId): CertificateRef {
    const { endpoint, email } = this.stage.dev;
    return { account: accountDigest(endpoint, email), authorityId, certificateId };
  }

  /** Many such certificates, a few at a time, since a request may not wait for its connection for too long. */
  async certificates(names: readonly string[]): Promise<void> {
    for (let at = 0; at < names.length; at += 50)
      await Promise.all(names.slice(at, at + 50).map((name) => this.certificate(name)));
  }

  /** Correct credentials and issuer. */
  async account(spec: Written<IssuerSpec> = {}): Promise<void> {
    await this.credentials();
    await this.issuer(spec);
  }

  async create<T extends KubeObject>(
    type: ResourceType<T>,
    name: string,
    content: Omit<T, 'metadata' | 'apiVersion' | 'kind'> & { metadata?: Partial<T['metadata']> },
  ): Promise<T> {
    const metadata = { ...content.metadata, namespace: this.namespace, name };
    const created = await this.stage.kube.create(type, { ...content, metadata } as unknown as T);
    this.#note(type, created, isManaged(created));
    return created;
  }

  get<T extends KubeObject>(type: ResourceType<T>, name: string): Promise<T> {
    return this.stage.kube.get(type, this.ref(name));
  }

  async patch<T extends KubeObject>(
    type: ResourceType<T>,
    name: string,
    patch: object,
    subresource?: 'status',
  ): Promise<T> {
    const before = await this.get(type, name);
    const options = subresource === undefined ? {} : { subresource };
    const patched = await this.stage.kube.mergePatch(type, this.ref(name), patch, options);
    this.#note(type, patched, isManaged(before) || isManaged(patched));
    return patched;
  }

  async delete(type: ResourceType, name: string): Promise<void> {
    const { kube } = this.stage;
    const deleted = await watchDeletion(kube, type, this.ref(name), () => kube.delete(type, this.ref(name)));
    this.#note(type, deleted, isManaged(deleted));
  }

  /** Waits until every operator has seen the test's writes and is at rest. */
  async settled(): Promise<void> {
    const isBehind = (): boolean =>
      [...this.stage.operators].some((traffic) =>
        this.#written.some(({ object, version }) => !traffic.hasSeen(object, version)),
      );
    while (isBehind()) await pause(1);
    this.#written.length = 0;
    await this.stage.settle();
  }

  /** The same, and then lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.settled();
    await this.stage.clock.skip(ms);
  }

  #note({ plural }: ResourceType, { metadata }: KubeObject, managed: boolean): void {
    const { namespace, name, resourceVersion } = metadata;
    this.#written.push({
      object: { plural, namespace, name, isManaged: managed },
      version: Number(resourceVersion),
    });
  }

  ref(name: string): { namespace: string; name: string } {
    return { namespace: this.namespace, name };
  }

  /** Resolves with the object as soon as it is as expected. Uses a watch, not polling. */
  until<T extends KubeObject>(
    type: ResourceType<T>,
    name: string,
    condition: (object: T) => boolean,
  ): Promise<T> {
    return watchUntil(this.stage.kube, type, this.ref(name), condition);
  }

  /** The certificate once it is Ready for its present spec. */
  ready(name: string, condition: (object: TinyCertCertificate) => boolean = () => true) {
    return this.until(certificates, name, (object) => {
      const ready = conditionOf(object.status?.conditions, 'Ready');
      return (
        ready?.status === 'True' &&
        ready.observedGeneration === object.metadata.generation &&
        condition(object)
      );
    });
  }

  /** All certificates, as soon as there are `count` and each is as expected. */
  untilAll(
    count: number,
    condition: (object: TinyCertCertificate) => boolean,
  ): Promise<TinyCertCertificate[]> {
    return watchUntilAll(this.stage.kube, certificates, this.namespace, count, condition);
  }

  /** A resource's conditions, each as `Type=Status Reason: message`. */
  async says<T extends TinyCertCertificate | TinyCertIssuer>(
    type: ResourceType<T>,
    name: string,
  ): Promise<string[]> {
    const { status } = await this.get(type, name);
    return (status?.conditions ?? []).map(sentence);
  }
}

/** A condition in one line. */
export function sentence({ type, status, reason, message }: Condition): string {
  return `${type}=${status} ${reason}: ${message}`;
}

const NO_FINALIZERS = { metadata: { finalizers: null } };

/** A new namespace on the stage. Its certificates are removed after the test, so no later operator finds them. */
export async function aWorld(stage: Stage): Promise<World> {
  const name = `test-${randomBytes(5).toString('hex')}`;
  await stage.kube.create(namespaces, { metadata: { name } });
  // As if an operator had run before, so that no test counts the write of its first start.
  await stage.kube.create(secrets, {
    metadata: { name: SEAL_KEY_SECRET, namespace: name },
    data: { key: randomBytes(32).toString('base64') },
  });
  onTestFinished(async () => {
    stage.dev.clearFaults();
    stage.dev.release();
    await stage.dev.setOptions({ listening: true });
    const kinds: ResourceType[] = [certificates, issuers];
    for (const type of kinds) {
      await stage.kube.transport.request({ method: 'DELETE', path: collectionPath(type, name) });
      // Those with a finalizer wait for an operator, and none comes.
      const { items } = await stage.kube.listAll(type, { namespace: name, metadataOnly: true });
      for (const { metadata } of items)
        await stage.kube.mergePatch(type, { namespace: name, name: metadata.name }, NO_FINALIZERS);
    }
  });
  return new World(stage, name);
}
