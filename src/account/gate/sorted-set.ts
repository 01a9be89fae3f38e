/** Orders items totally: negative if `a` comes first, 0 if both are the same item. */
export type Compare<T> = (a: T, b: T) => number;

interface Node<T> {
  readonly item: T;
  readonly left: Tree<T>;
  readonly right: Tree<T>;
  readonly height: number;
  readonly size: number;
}

type Tree<T> = Node<T> | undefined;

/**
 * An immutable sorted set, an AVL tree. `with` and `without` return another set that shares most of its nodes with this one, and
 * cost O(log n) time and memory, so that a state of fifty thousand items can be a value.
 */
export class SortedSet<T> {
  readonly #compare: Compare<T>;
  readonly #root: Tree<T>;

  constructor(compare: Compare<T>, root?: Tree<T>) {
    this.#compare = compare;
    this.#root = root;
  }

  get size(): number {
    return this.#root?.size ?? 0;
  }

  /** The item that comes first. */
  get first(): T | undefined {
    return this.#root && leftmost(this.#root).item;
  }

  /** The first item that does not come before `bound`, which need not be in the set. */
  firstFrom(bound: T): T | undefined {
    let found: T | undefined;
    for (let node = this.#root; node;) {
      if (this.#compare(node.item, bound) < 0) {
        node = node.right;
      } else {
        found = node.item;
        node = node.left;
      }
    }
    return found;
  }

  /** The set's item that is the same as `item`. */
  find(item: T): T | undefined {
    const found = this.firstFrom(item);
    return found !== undefined && this.#compare(found, item) === 0 ? found : undefined;
  }

  /** The set with `item` in the place of the same one, if there is one. */
  with(item: T): SortedSet<T> {
    return new SortedSet(this.#compare, inserted(this.#root, item, this.#compare));
  }

  without(item: T): SortedSet<T> {
    const root = removed(this.#root, item, this.#compare);
    return root === this.#root ? this : new SortedSet(this.#compare, root);
  }

  /** The items in their order. */
  *[Symbol.iterator](): Generator<T> {
    yield* itemsOf(this.#root);
  }
}

function* itemsOf<T>(tree: Tree<T>): Generator<T> {
  if (!tree) return;
  yield* itemsOf(tree.left);
  yield tree.item;
  yield* itemsOf(tree.right);
}

function leftmost<T>(node: Node<T>): Node<T> {
  let found = node;
  while (found.left) found = found.left;
  return found;
}

function inserted<T>(tree: Tree<T>, item: T, compare: Compare<T>): Node<T> {
  if (!tree) return join(undefined, item, undefined);
  const order = compare(item, tree.item);
  if (order === 0) return join(tree.left, item, tree.right);
  return order < 0
    ? balanced(inserted(tree.left, item, compare), tree.item, tree.right)
    : balanced(tree.left, tree.item, inserted(tree.right, item, compare));
}

function removed<T>(tree: Tree<T>, item: T, compare: Compare<T>): Tree<T> {
  if (!tree) return undefined;
  const order = compare(item, tree.item);
  if (order < 0) {
    const left = removed(tree.left, item, compare);
    return left === tree.left ? tree : balanced(left, tree.item, tree.right);
  }
  if (order > 0) {
    const right = removed(tree.right, item, compare);
    return right === tree.right ? tree : balanced(tree.left, tree.item, right);
  }
  if (!tree.left) return tree.right;
  if (!tree.right) return tree.left;
  const next = leftmost(tree.right).item;
  return balanced(tree.left, next, removed(tree.right, next, compare));
}

function join<T>(left: Tree<T>, item: T, right: Tree<T>): Node<T> {
  const height = Math.max(heightOf(left), heightOf(right)) + 1;
  return { item, left, right, height, size: (left?.size ?? 0) + (right?.size ?? 0) + 1 };
}

/** Like `join` for trees whose heights differ by two at most: rotates so that they differ by one. */
function balanced<T>(left: Tree<T>, item: T, right: Tree<T>): Node<T> {
  if (left && left.height > heightOf(right) + 1) {
    const { right: inner } = left;
    if (!inner || heightOf(left.left) >= inner.height)
      return join(left.left, left.item, join(inner, item, right));
    return join(join(left.left, left.item, inner.left), inner.item, join(inner.right, item, right));
  }
  if (right && right.height > heightOf(left) + 1) {
    const { left: inner } = right;
    if (!inner || heightOf(right.right) >= inner.height)
      return join(join(left, item, inner), right.item, right.right);
    return join(join(left, item, inner.left), inner.item, join(inner.right, right.item, right.right));
  }
  return join(left, item, right);
}

function heightOf<T>(tree: Tree<T>): number {
  return tree?.height ?? 0;
}
