import { type Dispatcher, Pool } from 'undici';
import type { Clock } from '../../src/lib/clock.ts';

/** An answer of a service, as its bytes. */
export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

/** What a service does with a request. */
export interface Handling {
  /** Carries the request out, at the service, this many milliseconds after it was sent; absent if it never arrives. */
  act?: { afterMs: number; run: () => Promise<void> };
  /** Called if the client was gone when it would have heard. */
  unheard?: () => void;
  /** When the client hears of it, in milliseconds after it was sent, and what: undefined for a broken connection. Absent if never. */
  hear?: { afterMs: number; reply: () => Reply | undefined };
}

/** From when to when a client waited for an answer, on the monotonic clock. */
export interface Exchange {
  from: number;
  /** Infinity while it waits. */
  to: number;
}

/** A service at an origin. */
export type Service = (path: string, body: Buffer) => Handling;

type Request = Pick<Dispatcher.DispatchOptions, 'path' | 'body'>;
type Dispatch = (this: Pool, ...call: Parameters<Pool['dispatch']>) => boolean;

/** The method that all pools share, as a property. */
function shared(): { dispatch: Dispatch } {
  return Pool.prototype;
}

/**
 * Leads the clients' requests for some origins to services in this process, in virtual time and without sockets. Everything above
 * undici is the product's own: sessions, signatures, the send gate, size limits, what an answer means.
 */
export class Network {
  readonly #clock: Clock;
  readonly #services = new Map<string, Service>();
  readonly #restore: () => void;
  /** Counts the processes that ask, one after the other. */
  #process = 0;
  /** All requests that were made, in this order. */
  readonly exchanges: Exchange[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    const prototype = shared();
    const { dispatch } = prototype;
    const services = this.#services;
    const exchange = (...call: [Service, Request, Dispatcher.DispatchHandler]): void =>
      this.#exchange(...call);
    prototype.dispatch = function dispatchHere(options, handler) {
      const { origin } = options;
      const service = services.get(origin instanceof URL ? origin.origin : (origin ?? ''));
      if (!service) return dispatch.call(this, options, handler);
      exchange(service, options, handler);
      return true;
    };
    this.#restore = () => {
      prototype.dispatch = dispatch;
    };
  }

  /** Answers at this origin from now on. */
  serve(origin: string, service: Service): void {
    this.#services.set(origin, service);
  }

  /** The process that has asked so far is gone: nobody hears the answers. */
  forget(): void {
    this.#process += 1;
    for (const each of this.exchanges) each.to = Math.min(each.to, this.#clock.monotonic());
  }

  /** Gives undici its own way back. */
  close(): void {
    this.#restore();
  }

  #exchange(service: Service, { path, body }: Request, handler: Dispatcher.DispatchHandler): void {
    let isOver = false;
    const exchange: Exchange = { from: this.#clock.monotonic(), to: Infinity };
    this.exchanges.push(exchange);
    const process = this.#process;
    const ended = (): void => {
      exchange.to = Math.min(exchange.to, this.#clock.monotonic());
    };
    const controller = {
      abort: () => {
        isOver = true;
        ended();
      },
    } as unknown as Dispatcher.DispatchController;
    // A connection is free a moment later.
    this.#clock.timer(1, () => {
      if (process !== this.#process) return;
      try {
        handler.onRequestStart?.(controller, {});
      } catch (error) {
        ended();
        handler.onResponseError?.(controller, error as Error);
        return;
      }
      const { act, hear, unheard } = service(path, Buffer.isBuffer(body) ? body : Buffer.alloc(0));
      if (act) this.#clock.timer(act.afterMs, () => void act.run());
      if (!hear) return;
      this.#clock.timer(hear.afterMs, () => {
        if (process !== this.#process) return unheard?.();
        if (isOver) return;
        ended();
        const reply = hear.reply();
        if (!reply) {
          handler.onResponseError?.(controller, Object.assign(new Error('cut'), { code: 'UND_ERR_SOCKET' }));
          return;
        }
        handler.onResponseStart?.(controller, reply.status, reply.headers ?? {});
        if (!isOver) handler.onResponseData?.(controller, Buffer.from(reply.body));
        if (!isOver) handler.onResponseEnd?.(controller, {});
      });
    });
  }
}
