import type { Figures } from '../result.ts';
import type { World } from '../world/world.ts';

/** One end-to-end test. It makes what it needs, so each can run alone. The namespaces of tests are removed after it. */
export interface Trial {
  name: string;
  /** What it shows, for --help. */
  about: string;
  /** Whether it can run in this world. A trial without it always can. */
  applies?: (world: World) => boolean;
  /** Rejects if something is not as it should be; resolves with what was measured. */
  run(world: World): Promise<Figures>;
}

/** Fails with the sentence unless it holds. */
export function expect(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(sentence);
}
