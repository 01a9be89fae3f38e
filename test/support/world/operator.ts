import { expect, onTestFinished } from 'vitest';
import {
  cacertAccounts,
  cacertCertificates,
  certificates,
  clusterIssuers,
  issuers,
} from '../../../src/api/kinds.ts';
import { secrets } from '../../../src/kube/objects.ts';
import { createLogger } from '../../../src/lib/log.ts';
import type { Settings } from '../../../src/operator/flags.ts';
import { runOperator } from '../../../src/operator/run.ts';
import type { Stage } from './stage.ts';
import { Traffic } from './traffic.ts';

export interface LogLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** An operator in this process. */
export interface TestOperator {
  /** Everything it has logged, one object for each line. */
  readonly log: readonly LogLine[];
  readonly traffic: Traffic;
  /** Settles when the operator ends; rejects with its error. */
  readonly ended: Promise<void>;
  /** Stops it: gently, which finishes running work, or by force, the closest to a kill within one process. */
  stop(how?: 'gently' | 'by force'): Promise<void>;
}

/** Starts an operator on the stage and waits until it watches every kind. It stops when the test ends. */
export async function startOperator(stage: Stage, settings: Partial<Settings> = {}): Promise<TestOperator> {
  const started = launchOperator(stage, settings);
  const kinds = [
    certificates,
    secrets,
    issuers,
    cacertAccounts,
    cacertCertificates,
    ...(settings.namespaces ? [] : [clusterIssuers]),
  ];
  const wanted = kinds.length + ((settings.namespaces?.length ?? 1) - 1) * kinds.length;
  const main = (): number =>
    started.traffic.watches().filter((watch) => !watch.includes('fieldSelector')).length;
  while (main() < wanted) {
    await Promise.race([started.ended.then(() => expect.unreachable('The operator has ended')), aMoment()]);
  }
  return started;
}

/** Starts an operator without waiting for its watches. */
export function launchOperator(stage: Stage, settings: Partial<Settings> = {}): TestOperator {
  const log: LogLine[] = [];
  const text: string[] = [];
  const logger = createLogger({
    level: 'debug',
    format: 'json',
    clock: stage.clock,
    destination: {
      write: (line) => {
        text.push(line);
        log.push(JSON.parse(line) as LogLine);
      },
    },
  });
  const gentle = new AbortController();
  const forced = new AbortController();
  const traffic = new Traffic(stage.cluster.server);
  stage.operators.add(traffic);
  const all: Settings = {
    kubeconfig: stage.cluster.kubeconfig,
    namespaces: undefined,
    cacert: true,
    clusterResourceNamespace: undefined,
    leaderElect: false,
    metricsBindAddress: '0',
    healthProbeBindAddress: '0',
    logLevel: 'debug',
    logFormat: 'json',
    allowedEndpoints: [stage.dev.endpoint],
    concurrency: 8,
    // Certificates are made by a clock that is ahead of the API server's, which dates the resources: others' would look younger.
    unclaimedWaitMs: 0,
    ...settings,
  };
  const ended = traffic
    .run(() => runOperator(all, stage.clock, logger, { gentle: gentle.signal, forced: forced.signal }))
    .finally(() => stage.operators.delete(traffic));
  // A failure reaches those who await it; until then it must not count as unhandled.
  ended.catch(() => undefined);
  const stop = async (how: 'gently' | 'by force' = 'gently'): Promise<void> => {
    gentle.abort();
    if (how === 'by force') forced.abort();
    await ended;
  };
  onTestFinished(async () => {
    await stop('by force').catch(() => undefined);
    const { passphrase, apiKey } = stage.dev;
    for (const secret of [passphrase, apiKey, 'PRIVATE KEY']) expect(text.join('')).not.toContain(secret);
  });
  return { log, traffic, ended, stop };
}

function aMoment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
