import type { TestProject } from 'vitest/node';
import {
  ensureBinaries,
  explain,
  startControlPlane,
  type ControlPlane,
} from '../../../tools/control-plane/index.ts';
import type { SharedControlPlane } from './control-plane.ts';

let running: ControlPlane | undefined;

/** Starts the control plane that the integration tests share. Without it the run fails: no test is skipped. */
export async function setup(project: TestProject): Promise<void> {
  const progress = (line: string): void => console.error(line);
  try {
    const { kubectl } = await ensureBinaries({ kubectl: true, progress });
    if (kubectl === undefined) throw new Error('ensureBinaries gave no kubectl.');
    running = await startControlPlane({ progress });
    const { kubeconfig, server, caData, adminCert, adminKey, dataDir } = running;
    const shared: SharedControlPlane = { kubeconfig, server, caData, adminCert, adminKey, kubectl, dataDir };
    project.provide('controlPlane', shared);
  } catch (error) {
    throw new Error(explain(error), { cause: error });
  }
}

export async function teardown(): Promise<void> {
  await running?.stop();
}
