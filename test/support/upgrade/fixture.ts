import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { startCAcertServer } from '../../../tools/dev-server/index.ts';
import { CAcertWorld, MEMBER } from '../world/cacert-world.ts';
import { type Cluster, openStage, type Stage } from '../world/stage.ts';
import { World } from '../world/world.ts';

/** What an operator of some version has written, and the CA behind it. */
export interface Fixture {
  /** When it was made, by the operator's clock: milliseconds since the epoch. */
  madeAt: number;
  /** All objects of the namespace, as the API server had them. */
  objects: KubeObject[];
  /** The state file of the dev server. */
  ca: object;
}

/** The namespace of everything in a fixture, the operator's own Secrets included. */
export const NAMESPACE = 'upgrade';
/** Statuses name an account by a digest of its endpoint, so the dev servers have the same ports each time. */
const PORTS = { tinycert: 18_743, cacert: 18_744 };

/** A stage on which a fixture is made or taken over. */
export interface UpgradeStage {
  stage: Stage;
  cacert: CAcertWorld;
  world: World;
  /** Ends the CA and resolves with its state. */
  end: () => Promise<object>;
}

/** Opens a stage whose CA has this state, at this time; without them a new one, now. */
export async function openUpgradeStage(
  cluster: Cluster,
  { ca, madeAt }: Partial<Pick<Fixture, 'ca' | 'madeAt'>> = {},
): Promise<UpgradeStage> {
  const folder = await mkdtemp(join(tmpdir(), 'upgrade-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const stateFile = join(folder, 'ca.json');
  if (ca) await writeFile(stateFile, JSON.stringify(ca));
  const stage = await openStage(
    { port: PORTS.tinycert, protocol: 'http', stateFile, keyPool: 4, keyPoolReuse: true },
    cluster,
  );
  if (madeAt !== undefined) stage.clock.jump(madeAt - stage.clock.now());
  const server = await startCAcertServer({
    port: PORTS.cacert,
    members: [MEMBER],
    now: stage.clock.now,
  });
  const world = new World(stage, NAMESPACE);
  let ended: Promise<object> | undefined;
  const end = (): Promise<object> => {
    ended ??= (async () => {
      await Promise.all([stage.close(), server.stop()]);
      return JSON.parse(await readFile(stateFile, 'utf8')) as object;
    })();
    return ended;
  };
  onTestFinished(async () => void (await end()));
  return { stage, cacert: new CAcertWorld(world, server), world, end };
}
