/** One call and those who want its result. */
interface Run<T> {
  result: Promise<T>;
  readonly abort: AbortController;
  callers: number;
  hasBegun: boolean;
}

/**
 * A call that all share who asked before it began. Who asks while one is under way gets the next one, since the present one may
 * have missed what made them ask. One is under way at a time, so however many ask, two are enough.
 */
export class SharedCall<T> {
  readonly #call: (signal: AbortSignal) => Promise<T>;
  /** Ends with the last call. */
  #last: Promise<unknown> = Promise.resolve();
  /** The call that has not begun. */
  #next: Run<T> | undefined;

  /** The signal that `call` gets aborts once nobody wants its result any more. */
  constructor(call: (signal: AbortSignal) => Promise<T>) {
    this.#call = call;
  }

  /** The result of a call that begins later than this. Rejects with its error, or with the reason of `signal` if that aborts first. */
  get(signal: AbortSignal): Promise<T> {
    const run = (this.#next ??= this.#prepare());
    run.callers += 1;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        run.callers -= 1;
        if (run.callers === 0 && run.hasBegun) run.abort.abort(signal.reason);
        reject(signal.reason as Error);
      };
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      const settle = (): void => signal.removeEventListener('abort', onAbort);
      run.result.then(resolve, reject).finally(settle);
    });
  }

  #prepare(): Run<T> {
    const abort = new AbortController();
    const begin = (): Promise<T> => {
      this.#next = undefined;
      run.hasBegun = true;
      if (run.callers === 0) throw new DOMException('Nobody wants it.', 'AbortError');
      return this.#call(abort.signal);
    };
    const run: Run<T> = { result: this.#last.then(begin), abort, callers: 0, hasBegun: false };
    this.#last = run.result.catch(() => undefined);
    return run;
  }
}
