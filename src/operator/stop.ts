/** The two stages of a shutdown. */
export interface Stop {
  /** Finish what runs, start nothing new. */
  gentle: AbortSignal;
  /** Abort what runs. */
  forced: AbortSignal;
}
