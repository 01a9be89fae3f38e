import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeClient } from '../../src/kube/client.ts';
import { connect } from '../../src/kube/config/credentials.ts';
import { Transport } from '../../src/kube/transport/transport.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { startControlPlane } from '../../tools/control-plane/index.ts';
import { freePorts } from '../../tools/control-plane/ports.ts';
import { ImageError } from '../../tools/image/errors.ts';
import type { Supervision } from '../../tools/image/process.ts';
import { installCrds } from '../support/world/crds.ts';
import type { UnpackedImage } from './container.ts';

const STARTS = 5;
const POLL_MS = 10;
const LIMIT_MS = 60_000;
const KUBECONFIG = '/kubeconfig';

/** The milliseconds from the start of a container until `/readyz` says yes, at a real API server with the CRDs; one for each start. */
export async function startsToReady(image: UnpackedImage, supervision: Supervision): Promise<number[]> {
  const plane = await startControlPlane(supervision);
  try {
    const connection = await connect({ kubeconfig: plane.kubeconfig, clock: systemClock });
    const transport = new Transport({ connection, clock: systemClock, userAgent: 'image-check' });
    await installCrds(new KubeClient(transport, { fieldManager: 'image-check' }));
    await transport.close();
    const source = await image.readableCopy(plane.kubeconfig);
    const times: number[] = [];
    for (let start = 1; start <= STARTS; start++) {
      times.push(await startToReady(image, source));
      supervision.progress(`Start ${start} of ${STARTS}: ready after ${Math.round(times.at(-1) ?? 0)} ms.`);
    }
    return times;
  } finally {
    await plane.stop();
  }
}

async function startToReady(image: UnpackedImage, kubeconfig: string): Promise<number> {
  const [health = 0, metrics = 0] = await freePorts(2);
  const args = [
    `--kubeconfig=${KUBECONFIG}`,
    '--cluster-resource-namespace=default',
    `--health-probe-bind-address=127.0.0.1:${health}`,
    `--metrics-bind-address=127.0.0.1:${metrics}`,
  ];
  const startedAt = performance.now();
  const child = await image.start(args, { mounts: [{ source: kubeconfig, target: KUBECONFIG }] });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4000)));
  const exited = once(child, 'exit');
  let ms: number;
  try {
    await untilReady(child, health, () => log);
    ms = performance.now() - startedAt;
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
  if (child.exitCode !== 0)
    throw new ImageError('CommandFailed', `The operator ended with ${child.exitCode} after SIGTERM.`, [log]);
  return ms;
}

async function untilReady(child: ChildProcess, port: number, log: () => string): Promise<void> {
  const giveUpAt = performance.now() + LIMIT_MS;
  for (;;) {
    if (child.exitCode !== null) throw new ImageError('CommandFailed', 'The operator ended.', [log()]);
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    if (performance.now() > giveUpAt)
      throw new ImageError('CommandFailed', `The operator is not ready after ${LIMIT_MS / 1000} s.`, [log()]);
    await sleep(POLL_MS);
  }
}
