import type { CAcertLogin } from '../../../src/account/cacert-account.ts';
import { Gate } from '../../../src/account/gate/gate.ts';
import type { CAcertCertificate } from '../../../src/api/kinds.ts';
import { cacertCertificates } from '../../../src/api/kinds.ts';
import type { CAcertClient } from '../../../src/cacert/index.ts';
import type { Deps } from '../../../src/cacert-certificates/deps.ts';
import {
  type CAcertEntry,
  type CAcertView,
  openAttempt,
  type OpenAttempt,
  readEntry,
} from '../../../src/cacert-certificates/attempt.ts';
import { PendingKeys } from '../../../src/cacert-certificates/pending-keys.ts';
import type { Work } from '../../../src/cacert-certificates/work.ts';
import { OpenAttempts } from '../../../src/issuance/attempt/open-attempts.ts';
import { CAcertDirectory, type ReadyCAcertAccount } from '../../../src/issuance/cacert/directory.ts';
import { cacertKind } from '../../../src/issuance/cacert/kind.ts';
import { CertificateSecrets } from '../../../src/issuance/secret/certificate-secrets.ts';
import { LastWritten } from '../../../src/issuance/status/last-written.ts';
import { RateLimiter } from '../../../src/issuance/status/rate-limit.ts';
import { StatusWriter } from '../../../src/issuance/status/writer.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { ApiError } from '../../../src/kube/errors.ts';
import { type KubeObject, type ObjectRef, type ResourceType, secrets } from '../../../src/kube/objects.ts';
import { createMetrics } from '../../../src/metrics/registry.ts';
import { JournalApi } from '../kube/journal-api.ts';
import { viewOf } from '../kube/journal-process.ts';
import { accountWith, attempt, certificate, inputs } from './cacert-inputs.ts';
import { VirtualClock } from '../virtual-clock.ts';

type Verb = 'create' | 'patch' | 'delete';

/** The part of an API server that the steps use: objects with versions, merge patches and preconditions. */
export class KubeFake {
  readonly #objects = new Map<string, KubeObject>();
  #version = 100;
  /** Called before each write; what it throws is the answer. */
  onWrite: (verb: Verb, path: string) => void = () => undefined;
  /** `verb path` of each write, in order. */
  readonly writes: string[] = [];

  put<T extends KubeObject>(type: ResourceType<T>, object: T): T {
    this.#objects.set(pathOf(type, object.metadata), object);
    return object;
  }

  /** The object now, or undefined if there is none. */
  now<T extends KubeObject>(type: ResourceType<T>, ref: Partial<ObjectRef>): T | undefined {
    return this.#objects.get(pathOf(type, ref)) as T | undefined;
  }

  find = <T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<T | undefined> =>
    Promise.resolve(this.now(type, ref));

  findMetadata = (type: ResourceType, ref: ObjectRef): Promise<KubeObject | undefined> =>
    this.find(type, ref);

  get = async <T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<T> => {
    const found = this.now(type, ref);
    if (!found) throw kubeError(404, 'NotFound');
    return found;
  };

  create = async <T extends KubeObject>(type: ResourceType<T>, object: T): Promise<T> => {
    const path = this.#write('create', type, object.metadata);
    if (this.#objects.has(path)) throw kubeError(409, 'AlreadyExists');
    const uid = `uid-${this.#version}`;
    return this.#store(path, { ...object, metadata: { ...object.metadata, uid } });
  };

  mergePatch = async <T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: { metadata?: { resourceVersion?: string } },
  ): Promise<T> => {
    const path = this.#write('patch', type, ref);
    const before = this.#objects.get(path);
    if (!before) throw kubeError(404, 'NotFound');
    this.#assertVersion(before, patch.metadata?.resourceVersion);
    return this.#store(path, merged(before, patch) as T);
  };

  delete = async (
    type: ResourceType,
    ref: ObjectRef,
    { uid, resourceVersion }: { uid?: string; resourceVersion?: string } = {},
  ): Promise<void> => {
    const path = this.#write('delete', type, ref);
    const before = this.#objects.get(path);
    if (!before) throw kubeError(404, 'NotFound');
    if (uid !== undefined && uid !== before.metadata.uid) throw kubeError(409, 'Conflict');
    this.#assertVersion(before, resourceVersion);
    this.#objects.delete(path);
  };

  #write(verb: Verb, type: ResourceType, ref: Partial<ObjectRef>): string {
    const path = pathOf(type, ref);
    this.onWrite(verb, path);
    this.writes.push(`${verb} ${path}`);
    return path;
  }

  #assertVersion({ metadata }: KubeObject, wanted: string | undefined): void {
    if (wanted !== undefined && wanted !== metadata.resourceVersion) throw kubeError(409, 'Conflict');
  }

  #store<T extends KubeObject>(path: string, object: T): T {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: `${this.#version}` } };
    this.#objects.set(path, stored);
    return stored;
  }
}

export function kubeError(status: number, reason: string): ApiError {
  return new ApiError({ status, reason, message: '', verb: '', resource: '' });
}

function pathOf(
  type: Pick<ResourceType, 'plural'>,
  { namespace = '', name = '' }: Partial<ObjectRef>,
): string {
  return `${type.plural} ${namespace}/${name}`;
}

/** JSON merge patch (RFC 7386). */
function merged(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How the fake CAcert answers one call, after the client's `beforeSend` allowed it. */
export type Answer = (input: Parameters<CAcertClient['signCertificate']>[0]) => Promise<string> | string;

/** A step on a fake API server and a virtual clock, and what it leaves behind. */
export class CAcertStage {
  readonly clock: VirtualClock;
  readonly kube = new KubeFake();
  /** The object with the journal. */
  readonly journal = new JournalApi();
  readonly view: CAcertView;
  readonly gate: Gate;
  readonly account: ReadyCAcertAccount;
  readonly deps: Deps;
  /** Reason of each event, in order. */
  readonly events: string[] = [];
  /** Keys that the gate woke. */
  readonly woken: string[] = [];
  readonly abort = new AbortController();
  leads = true;
  /** Runs right before the first byte would leave. */
  beforeSend: () => void = () => undefined;
  answer: Answer = () => 'signed';
  readonly #metrics = createMetrics({ process: false });

  constructor(options: { now?: number; account?: Partial<ReadyCAcertAccount> } = {}) {
    const clock = new VirtualClock(options.now ?? inputs().now);
    const kube = this.kube as unknown as KubeClient;
    const writtenSecrets = new LastWritten<KubeObject>({ clock });
    const written = new LastWritten<CAcertCertificate>({ clock });
    const crds = { fit: true, check: () => Promise.resolve() } as unknown as Deps['crds'];
    this.clock = clock;
    this.gate = new Gate({ limit: 1, clock, random: () => 0.5 });
    const login = { client: { signCertificate: this.#sign }, gate: this.gate } as unknown as CAcertLogin;
    this.account = accountWith({ ...options.account, account: login });
    const directory = new CAcertDirectory();
    directory.set(this.account.key, { ready: true, issuer: this.account });
    this.view = viewOf({ name: 'cacert', entry: readEntry, record: () => undefined as never }, this.journal, {
      clock,
      leads: () => this.leads,
    });
    this.deps = {
      clock,
      timing: cacertKind.timing,
      metrics: this.#metrics.cacertCertificates,
      warn: (_, reason) => this.events.push(reason),
      leads: () => this.leads,
      directory,
      wake: (key) => this.woken.push(key),
      attempts: new OpenAttempts(),
      statuses: new StatusWriter({ kube, clock, kind: cacertKind, crds, written }),
      certificateSecrets: new CertificateSecrets({
        kube,
        kind: cacertKind,
        certificates: { get: () => undefined },
        watched: { get: () => undefined },
        written: writtenSecrets,
        claims: { elderOf: () => undefined },
        isOpen: ({ metadata }) => this.view.entry(metadata.uid ?? '') !== undefined,
      }),
      pendingKeys: new PendingKeys({ kube, written: writtenSecrets }),
      repairLimiter: new RateLimiter(clock),
      reportLimiter: new RateLimiter(clock),
    } as Partial<Deps> as Deps;
  }

  /** Work on these inputs, whose resource and pending Secret exist at the API server. */
  work(options: Parameters<typeof inputs>[0] = {}): Work {
    const { account, clock, deps, abort, view } = this;
    const made = inputs({
      account: { ready: true, issuer: account },
      now: clock.now(),
      monotonic: clock.monotonic(),
      ...options,
    });
    this.kube.put(cacertCertificates, made.certificate);
    const { pending, secret } = made;
    for (const view of [pending, secret])
      if ('metadata' in view) this.kube.put(secrets, { metadata: view.metadata });
    const log = { info: () => undefined } as unknown as Work['log'];
    return { deps, inputs: made, view, account, signal: abort.signal, log };
  }

  /** The resource as it is stored. */
  stored(): CAcertCertificate {
    const found = this.kube.now(cacertCertificates, { namespace: 'ns', name: 'mail' });
    if (!found) throw new Error('The resource is gone.');
    return found;
  }

  /** An attempt in the journal that was sent, as a reconcile finds it. */
  async opened(change: Partial<CAcertEntry> = {}): Promise<OpenAttempt> {
    const { entry } = attempt({ entry: change });
    const opened = await this.view.open({ owner: 'uid', group: 'me', make: () => entry! });
    if (opened.is !== 'open') throw new Error('The journal has no room.');
    this.deps.attempts.sent('uid', opened.id, this.clock.monotonic());
    return this.found()!;
  }

  /** The attempt of the resource that is in the journal, and what this process knows of it. */
  found(): OpenAttempt | undefined {
    return openAttempt(this.deps, this.view, certificate({ status: {} }));
  }

  /** How often issuing ended with this outcome. */
  async counted(outcome: string): Promise<number> {
    const { values } = await this.deps.metrics.issuances.get();
    return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
  }

  readonly #sign: CAcertClient['signCertificate'] = async (input, { beforeSend } = {}) => {
    this.beforeSend();
    beforeSend?.();
    return { certificate: await this.answer(input) };
  };
}
