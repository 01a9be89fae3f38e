/** Measures an outage and its end: the credentials are wrong, certificates wait, the credentials are corrected. */
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TinyCertCertificate } from '../src/api/kinds.ts';
import { keyOf, secrets } from '../src/kube/objects.ts';
import { freshBundle, givenBundle } from './processes/build.ts';
import { CertificateWatch } from './measure/certificate-watch.ts';
import { createIssuers, createNamespaces, isReady, readyCertificates, readyReason } from './cluster.ts';
import { BenchError } from './errors.ts';
import { OperatorProcess } from './processes/operator-process.ts';
import type { OutageOptions } from './options.ts';
import type { OutageRound } from './report/outage-report.ts';
import { commonNameOf, ISSUER } from './floor/payloads.ts';
import { cpuMs } from './measure/process-usage.ts';
import { boughtTwice } from './measure/purchases.ts';
import { createCertificates } from './floor/raw-loop.ts';
import { type RequestCounts, requestCounts, since } from './measure/request-counts.ts';
import { Cleanup, type Ground, openGround, unlessStopped } from './stage.ts';

/** How long the outage continues once every certificate reports that it waits. */
const STRETCH_MS = 65_000;
const WAITING_PATIENCE_MS = 180_000;
const READY_PATIENCE_MS = 300_000;

type Progress = (line: string) => void;

/** Starts everything, measures round after round, and leaves nothing behind. Rejects if `signal` aborts. */
export async function runOutage(
  options: OutageOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<OutageRound[]> {
  const bundle = options.operator === undefined ? freshBundle(progress) : givenBundle(options.operator);
  progress(`${availableParallelism()} CPUs, load ${load()} before anything was started.`);
  return unlessStopped(signal, async (cleanup) => {
    const ground = await openGround({ concurrency: options.concurrency, progress, signal }, cleanup);
    const rounds: OutageRound[] = [];
    for (let number = 1; number <= options.rounds; number += 1) {
      const ofRound = new Cleanup();
      // For a bench that is stopped within a round.
      cleanup.add(() => ofRound.run());
      const round = await outageRound(ground, { ...options, bundle }, `outage-${number}`, ofRound);
      await ofRound.run();
      rounds.push(round);
      const { secondsToFirstReady, secondsToAllReady } = round;
      progress(
        `Round ${number} of ${options.rounds}: the first Ready after ${secondsToFirstReady.toFixed(2)} s, all after ` +
          `${secondsToAllReady.toFixed(1)} s. Load ${load()}.`,
      );
    }
    return rounds;
  });
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

/** One outage, with an operator and a namespace of its own. What it starts ends with `cleanup`. */
async function outageRound(
  { folder, plane, dev, kube, http, access, buyer }: Ground,
  { certificates, concurrency, bundle, profile }: OutageOptions & { bundle: string },
  namespace: string,
  cleanup: Cleanup,
): Promise<OutageRound> {
  const wrong = { ...access.credentials, passphrase: `not ${access.credentials.passphrase}` };
  await createNamespaces(kube, [namespace]);
  await createIssuers(kube, [namespace], { ...access, credentials: wrong, authorityId: buyer.authorityId });
  await createCertificates(http, namespace, certificates, concurrency);
  const states = new States(certificates);
  const watch = await CertificateWatch.open(kube, namespace, (certificate) => states.see(certificate));
  cleanup.add(() => watch.close());
  const requests = async (): Promise<RequestCounts> =>
    requestCounts((await http.send('GET', '/metrics')).toString('latin1'));

  await dev.forgetJournal();
  const atStart = await requests();
  const started = performance.now();
  const operator = await OperatorProcess.start({
    bundle,
    kubeconfig: plane.kubeconfig,
    namespaces: [namespace],
    endpoint: access.endpoint,
    concurrency,
    logFile: `${folder}/${namespace}.log`,
    profile,
  });
  cleanup.add(() => operator.stop());
  await watch.until(
    states.allWaiting,
    WAITING_PATIENCE_MS,
    () => `Only ${states.waiting} of ${certificates} certificates report that they wait.`,
  );
  await sleep(STRETCH_MS);
  await operator.assertRunning();
  const duringOutage = since(atStart, await requests());
  const callsDuringOutage = (await dev.journal()).length;

  const times = (): OutageRound['cpuMs'] => ({
    operator: cpuMs(operator.pid),
    apiServer: cpuMs(plane.pids().apiServer),
    etcd: cpuMs(plane.pids().etcd),
    ca: cpuMs(dev.pid),
    bench: cpuMs(process.pid),
  });
  const atMend = await requests();
  const before = times();
  const mended = performance.now();
  const { passphrase } = access.credentials;
  await kube.mergePatch(secrets, { namespace, name: ISSUER }, { stringData: { passphrase } });
  const allReady = await watch
    .until(
      states.allReady,
      READY_PATIENCE_MS,
      () => `Only ${states.ready} of ${certificates} certificates became Ready.`,
    )
    .catch(async (error: unknown): Promise<never> => {
      throw error instanceof BenchError ? new BenchError(error.message, await operator.logTail()) : error;
    });
  const after = times();
  const afterMend = since(atMend, await requests());
  const { all, ready } = await readyCertificates(kube, namespace);
  if (ready !== certificates) throw new BenchError(`${ready} of ${certificates} certificates are Ready.`);
  const revisions = new Map(
    all.map(({ metadata, status }) => [commonNameOf(namespace, metadata.name), status?.revision ?? 0]),
  );
  const journal = await dev.journal();
  return {
    certificates,
    minutesOfOutage: (mended - started) / 60_000,
    callsDuringOutage,
    writesDuringOutage: duringOutage.writes,
    secondsToFirstReady: (states.firstReadyAt - mended) / 1000,
    secondsToAllReady: (allReady - mended) / 1000,
    callsAfter: journal.length - callsDuringOutage,
    // One is the correction itself.
    writesAfter: afterMend.writes - 1,
    conflictsAfter: afterMend.conflicts,
    cpuMs: {
      operator: after.operator - before.operator,
      apiServer: after.apiServer - before.apiServer,
      etcd: after.etcd - before.etcd,
      ca: after.ca - before.ca,
      bench: after.bench - before.bench,
    },
    boughtTwice: boughtTwice(journal, revisions),
  };
}

/** The states of a namespace's certificates, as a watch shows them. */
class States {
  /** When the watch showed the first Ready. */
  firstReadyAt = 0;
  /** All report that they wait for their issuer. */
  readonly allWaiting: Promise<void>;
  /** Resolves when all are Ready, with the time at which the watch showed the last. */
  readonly allReady: Promise<number>;
  readonly #count: number;
  readonly #waiting = new Set<string>();
  readonly #ready = new Set<string>();
  readonly #tellWaiting: () => void;
  readonly #tellReady: (at: number) => void;

  constructor(count: number) {
    this.#count = count;
    ({ promise: this.allWaiting, resolve: this.#tellWaiting } = Promise.withResolvers<void>());
    ({ promise: this.allReady, resolve: this.#tellReady } = Promise.withResolvers<number>());
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get ready(): number {
    return this.#ready.size;
  }

  see(certificate: TinyCertCertificate): void {
    const key = keyOf(certificate);
    if (isReady(certificate)) {
      if (this.#ready.size === 0) this.firstReadyAt = performance.now();
      this.#ready.add(key);
      if (this.#ready.size === this.#count) this.#tellReady(performance.now());
    } else if (readyReason(certificate) === 'IssuerNotReady') {
      this.#waiting.add(key);
      if (this.#waiting.size === this.#count) this.#tellWaiting();
    }
  }
}
