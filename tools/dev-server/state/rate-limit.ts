const WINDOW = 60_000;

/** Counts what each account made within the last minute. */
export class RateLimit {
  readonly #made = new Map<number, number[]>();

  /** Counts one creation. Returns false and counts nothing if the account had `limit` of them within the minute. */
  take(accountId: number, limit: number, now: number): boolean {
    const recent = (this.#made.get(accountId) ?? []).filter((at) => now - at < WINDOW);
    this.#made.set(accountId, recent);
    if (recent.length >= limit) return false;
    recent.push(now);
    return true;
  }
}
