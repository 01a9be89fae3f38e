/** Undoes one step of a start. */
export type Undo = () => Promise<void>;

/**
 * Starts something in several steps; each successful step pushes its undoing. `stop` undoes them, last one first, and only once
 * however often it is called. A start that fails is undone and rejects.
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
