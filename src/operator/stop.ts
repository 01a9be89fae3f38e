/** The two stages of a shutdown. */
export interface Stop {
  /** Start nothing new and finish what runs. */
  gentle: AbortSignal;
  /** Abort what runs. */
  forced: AbortSignal;
}
