/** An item of a heap. The heap keeps `place` up to date, so any item can be moved or removed in O(log n). */
export interface HeapItem {
  /** Index in the heap; -1 if the item is in none. An item is in at most one heap. */
  place: number;
}

/** A binary heap: no item comes before the first one. */
export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  has(item: T): boolean {
    return this.#items[item.place] === item;
  }

  push(item: T): void {
    item.place = this.#items.length;
    this.#items.push(item);
    this.#up(item);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first) this.remove(first);
    return first;
  }

  remove(item: T): void {
    const hole = item.place;
    const last = this.#items.pop();
    item.place = -1;
    if (last === undefined || last === item) return;
    this.#set(last, hole);
    this.update(last);
  }

  /** Restores the order after the rank of `item` has changed. */
  update(item: T): void {
    this.#up(item);
    this.#down(item);
  }

  clear(): void {
    for (const item of this.#items) item.place = -1;
    this.#items.length = 0;
  }

  #set(item: T, place: number): void {
    item.place = place;
    this.#items[place] = item;
  }

  #up(item: T): void {
    while (item.place > 0) {
      const at = item.place;
      const parent = this.#items[(at - 1) >> 1];
      if (!parent || !this.#before(item, parent)) return;
      this.#set(item, parent.place);
      this.#set(parent, at);
    }
  }

  #down(item: T): void {
    for (;;) {
      const at = item.place;
      const left = this.#items[2 * at + 1];
      const right = this.#items[2 * at + 2];
      const child = left && right && this.#before(right, left) ? right : left;
      if (!child || !this.#before(child, item)) return;
      this.#set(item, child.place);
      this.#set(child, at);
    }
  }
}
