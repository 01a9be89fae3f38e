import type { Clock } from '../lib/clock.ts';
import { type Bounds, type Need, Room } from './bounds.ts';
import type { Contents } from './contents.ts';

/** When those that wait are looked at again although nothing was removed, in milliseconds. */
export const LOOK_AGAIN_MS = 5000;

interface Parked {
  section: string;
  owner: string;
  need: Need;
}

/**
 * What waits for room in the journal, first come, first served, without a worker. Whoever may fit is woken and leaves; if it
 * still does not fit it comes back. As one that is woken may have gone meanwhile, the others are looked at again in a while,
 * and nothing waits for somebody who does not come.
 */
export class Parking {
  readonly #clock: Clock;
  readonly #bounds: Bounds;
  readonly #contents: () => Contents | undefined;
  readonly #wake: (section: string, owner: string) => void;
  readonly #parked = new Map<string, Parked>();
  #cancel: (() => void) | undefined;

  constructor(options: {
    clock: Clock;
    bounds: Bounds;
    contents: () => Contents | undefined;
    wake: (section: string, owner: string) => void;
  }) {
    this.#clock = options.clock;
    this.#bounds = options.bounds;
    this.#contents = options.contents;
    this.#wake = options.wake;
  }

  get size(): number {
    return this.#parked.size;
  }

  add(parked: Parked): void {
    this.#parked.set(parked.need.key, parked);
    this.#lookAgain();
  }

  /** Whether somebody waits for this request. */
  isAwaited(request: string): boolean {
    for (const { need } of this.#parked.values()) if (need.request === request) return true;
    return false;
  }

  /** Wakes, in order, all that fit together. */
  look(): void {
    const contents = this.#contents();
    if (!contents || this.#parked.size === 0) return;
    const room = new Room(contents, this.#bounds);
    for (const [key, { section, owner, need }] of this.#parked) {
      if (room.obstacleFor(need)) continue;
      room.take(need);
      this.#parked.delete(key);
      this.#wake(section, owner);
    }
    this.#lookAgain();
  }

  #lookAgain(): void {
    if (this.#parked.size === 0) {
      this.#cancel?.();
      this.#cancel = undefined;
      return;
    }
    this.#cancel ??= this.#clock.timer(LOOK_AGAIN_MS, () => {
      this.#cancel = undefined;
      this.look();
    });
  }
}
