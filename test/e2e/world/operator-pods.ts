import { NAMESPACE } from './installation-names.ts';
import type { Printed } from './kubectl.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** A Pod, as far as a test looks at it. */
export interface Pod extends Printed {
  spec: { nodeName?: string };
  status: {
    phase: string;
    conditions?: { type: string; status: string; lastTransitionTime: string }[];
    containerStatuses?: {
      containerID?: string;
      restartCount: number;
      imageID: string;
      state: {
        running?: { startedAt: string };
        terminated?: { exitCode: number; startedAt: string; finishedAt: string };
      };
    }[];
  };
}

const SELECTOR = 'app.kubernetes.io/name=tinycert-operator';

/** The operator's Pods, those that are ending included. */
export function operatorPods({ kubectl }: World): Promise<Pod[]> {
  return kubectl.list<Pod>('pods', NAMESPACE, SELECTOR);
}

/** The operator's only Pod. */
export async function operatorPod(world: World): Promise<Pod> {
  return until('there is one Pod of the operator', async () => {
    const pods = (await operatorPods(world)).filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
    return pods.length === 1 ? pods[0] : undefined;
  });
}

/** The container's id at the node. */
export function containerOf(pod: Pod): string {
  const id = pod.status.containerStatuses?.[0]?.containerID?.replace(/^containerd:\/\//u, '');
  if (id === undefined) throw new Error(`The Pod ${pod.metadata.name} has no container yet.`);
  return id;
}

/** Kills the container's first process, as the kernel does when memory is short. */
export async function killContainer({ cluster }: World, pod: Pod): Promise<void> {
  await cluster.ctr(['tasks', 'kill', '--signal', 'SIGKILL', containerOf(pod)]);
}

/** The id, on the node, of the container's first process. */
export async function processOf({ cluster }: World, pod: Pod): Promise<number> {
  const id = containerOf(pod);
  const tasks = (await cluster.ctr(['tasks', 'list'])).split('\n').map((line) => line.split(/\s+/u));
  const pid = tasks.find(([container]) => container === id)?.[1];
  if (pid === undefined) throw new Error(`The container ${id} has no process.`);
  return Number(pid);
}

/** The Pod that holds the Lease; undefined while none does. */
export async function leader(world: World): Promise<string | undefined> {
  const [lease] = await world.kubectl.list<{ spec: { holderIdentity?: string } }>('leases', NAMESPACE);
  const holder = lease?.spec.holderIdentity ?? '';
  const pods = await operatorPods(world);
  return pods.find(({ metadata }) => holder.startsWith(metadata.name))?.metadata.name;
}
