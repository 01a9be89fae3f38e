/** The two stages of a shutdown. */
export interface Stop {
  /** Start nothing new and finish what runs. */
  gentle: AbortSignal;
  /** Abort what runs. */
  forced: AbortSignal;
}

/** Follows SIGTERM and SIGINT from now on: the first one stops gently, the second aborts what still runs. */
export function stopOnSignals(): Stop {
  const gentle = new AbortController();
  const forced = new AbortController();
  const onSignal = (): void => (gentle.signal.aborted ? forced.abort() : gentle.abort());
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { gentle: gentle.signal, forced: forced.signal };
}
