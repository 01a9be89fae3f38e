/** Work that is not awaited where it starts, kept so that a stop can wait for it. */
export class Tasks {
  readonly #running = new Set<Promise<void>>();

  /** Takes over the work; calls `onFailure` if it rejects. */
  run(work: Promise<void>, onFailure: (error: unknown) => void): void {
    const task = work.catch(onFailure).finally(() => this.#running.delete(task));
    this.#running.add(task);
  }

  /** Resolves when all work has ended. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
