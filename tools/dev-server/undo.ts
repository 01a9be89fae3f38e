/** One step of taking something down again. */
export type Undo = () => Promise<void>;

/**
 * Starts something that takes several steps: each step that succeeds pushes what undoes it. `stop` undoes them, the last
 * first, once however often it is called; a start that fails is undone and rejects.
 */
export async function undoable<T>(start: (undo: Undo[], stop: Undo) => Promise<T>): Promise<T> {
  const undo: Undo[] = [];
  let stopped: Promise<void> | undefined;
  const undoAll = async (): Promise<void> => {
    for (let last = undo.pop(); last; last = undo.pop()) await last();
  };
  const stop = (): Promise<void> => (stopped ??= undoAll());
  try {
    return await start(undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}
