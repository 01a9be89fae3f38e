import {
  type Cluster,
  type Entry,
  type Journal,
  type Phase,
  type Process,
  QUIET,
  type Resource,
  type Secret,
  type State,
  type Status,
  type StepName,
  TOKENS,
  type Work,
} from '../world/state.ts';

/**
 * A number for a state that is the same for states which differ only in their tokens, in the order of the processes or
 * in the order of equal resources. 53 bits: among a million states two collide once in twenty thousand searches.
 */
export function digestOf(state: State, { isSymmetric, isOrdered }: Symmetry): number {
  const places = [...state.resources.keys()];
  const straight = new Digest(isOrdered).state(state, places);
  return isSymmetric ? Math.min(straight, new Digest(isOrdered).state(state, places.toReversed())) : straight;
}

interface Symmetry {
  /** The resources are alike. */
  isSymmetric: boolean;
  /** It matters whether a certificate outside of a window was issued before it. */
  isOrdered: boolean;
}

class Digest {
  #high = 0x811c9dc5;
  #low = 0x9e3779b9;
  readonly #tokens = new Map<number, number>();
  /** Objects are replaced and never changed, so that one that comes again is told by its number. */
  readonly #objects = new Map<object, number>();
  readonly #isOrdered: boolean;

  constructor(isOrdered: boolean) {
    this.#isOrdered = isOrdered;
  }

  state(state: State, order: readonly number[]): number {
    // The names of the places come first, so that they are numbered in this order.
    for (const place of order) this.#put(TOKENS + place);
    this.#cluster(state, order);
    if (state.snapshot) this.#cluster(state.snapshot, order);
    if (state.lost) this.#journal(state.lost, order);
    const leader = state.processes.findIndex(({ leads }) => leads);
    const processes = [...state.processes.keys()].sort((a, b) => +(b === leader) - +(a === leader));
    for (const p of processes) this.#process(state.processes[p]!, order);
    for (const { entry, process, isGivenUp, patience } of state.requests) {
      this.#entry(entry);
      this.#put(processes.indexOf(process) + 4 * +isGivenUp + 8 * patience);
    }
    for (const place of order) {
      const kept = state.kept[place];
      this.#put(kept?.uid ?? 0);
      if (kept) this.#status(kept.status);
    }
    for (const { id, age, from } of state.windows) {
      // Windows that nothing refers to make no difference.
      const known = this.#tokens.get(id);
      if (known === undefined) continue;
      if (age < QUIET) this.#hash(known * 4 + age);
      if (this.#isOrdered) this.#list([known, ...from]);
    }
    this.#certificates(state);
    const { inventory } = state;
    this.#list(inventory?.ids);
    if (inventory?.journal) this.#journal(inventory.journal, order);
    if (inventory?.resources) for (const place of order) this.#resource(inventory.resources[place]);
    this.#list(state.reported);
    this.#list(state.forgotten);
    this.#list(state.left);
    this.#put(state.events + 16 * state.excuses);
    this.#hash(+state.isPutBack + 2 * +state.isHalted);
    return (this.#high >>> 0) * 2 ** 21 + (this.#low >>> 11);
  }

  #cluster({ resources, secrets, journal }: Cluster, order: readonly number[]): void {
    for (const place of order) {
      this.#resource(resources[place]);
      this.#secret(secrets[place]);
    }
    this.#journal(journal, order);
  }

  /** Whether there is anything to tell of an object that has not been told. */
  #isNew<T extends object>(object: T | undefined): object is T {
    if (object === undefined) {
      this.#hash(-1);
      return false;
    }
    const number = this.#objects.get(object);
    if (number === undefined) this.#objects.set(object, this.#objects.size);
    this.#hash(number === undefined ? -2 : -3 - number);
    return number === undefined;
  }

  #resource(resource: Resource | undefined): void {
    if (!this.#isNew(resource)) return;
    this.#put(resource.uid);
    this.#put(resource.version);
    this.#put(resource.need);
    this.#hash(resource.spec + 4 * resource.account);
    this.#status(resource.status);
  }

  #status({ certificateId, spec, revision, entry, isForged }: Status): void {
    this.#hash(certificateId);
    this.#hash(spec + 4 * +isForged + 8 * revision);
    this.#put(entry);
  }

  #secret(secret: Secret | undefined): void {
    if (!this.#isNew(secret)) return;
    this.#put(secret.version);
    this.#put(secret.uid);
    this.#hash(secret.certificateId + 1000 * secret.key);
  }

  #journal(journal: Journal | undefined, order: readonly number[]): void {
    if (!this.#isNew(journal)) return;
    this.#put(journal.version);
    this.#hash(journal.entries.length + 8 * journal.counter);
    for (const entry of inOrder(journal.entries, order, ({ place }) => place - TOKENS)) this.#entry(entry);
    this.#list(journal.highest);
    this.#list(journal.givenUp);
    this.#list(journal.released);
    this.#list(journal.undecided);
    this.#hash(journal.abandoned.length);
    for (const { uid, spec, account, afterId } of journal.abandoned) {
      this.#put(uid);
      this.#hash(spec + 4 * account + 8 * afterId);
    }
  }

  #entry(entry: Entry | undefined): void {
    if (!this.#isNew(entry)) return;
    const { id, uid, operation, spec, account, revision, need, previousId, afterId, windows, doubts } = entry;
    this.#put(id);
    this.#put(uid);
    this.#put(entry.place);
    this.#put(need);
    this.#hash(
      (operation === 'New' ? 0 : 1) +
        2 * spec +
        4 * account +
        8 * doubts +
        32 * revision +
        1024 * +entry.isPutBack,
    );
    this.#hash(previousId + 1000 * (afterId + 1));
    this.#put(entry.bought);
    this.#list(windows);
  }

  #process(process: Process, order: readonly number[]): void {
    const { leads, phase, wait, journal, views, works, memory, inventory, known } = process;
    this.#hash(+leads + 2 * wait + 8 * phases.indexOf(phase));
    this.#journal(journal, order);
    for (const place of order) {
      this.#resource(views[place]!.resource);
      this.#secret(views[place]!.secret);
    }
    this.#hash(works.length);
    for (const work of inOrder(works, order, ({ place }) => place)) this.#work(work, order);
    for (const entry of inOrder(journal?.entries ?? [], order, ({ place }) => place - TOKENS)) {
      const about = memory.find((each) => each.entry === entry.id);
      if (!about) continue;
      const { isUnsent, bought, isMisfit, isDoubted } = about;
      const wait = isUnsent || bought > 0 ? 0 : about.wait;
      this.#hash(wait + 4 * +isUnsent + 8 * +isMisfit + 16 * +isDoubted + 32 * bought);
    }
    this.#list(inventory);
    this.#list(known);
  }

  #work(work: Work, order: readonly number[]): void {
    const { next, giving, looks } = work;
    const age = next === 'enter' || next === 'send' ? work.age : 0;
    this.#hash(order.indexOf(work.place) + 4 * age + 8 * steps.indexOf(next));
    this.#put(work.uid);
    this.#put(work.removes);
    this.#put(work.secretVersion);
    this.#hash(work.certificateId + 1000 * +giving.isAbandoned + 2000 * +looks.isPreviousObsolete);
    this.#entry(work.entry);
    this.#resource(work.seen);
    for (const place of work.others ? order : []) this.#resource(work.others![place]);
    this.#list(giving.givenUp);
    this.#list(giving.released);
    this.#list(giving.undecided);
    this.#list(looks.candidates);
    this.#list(looks.strangers);
    this.#list(looks.missing);
  }

  #certificates({ certificates, forgotten }: State): void {
    for (const register of certificates) {
      this.#hash(register.length);
      for (const certificate of register) {
        const { spec, key, isObsolete, isRevoked, wasNamed, windows, entry } = certificate;
        const isForgotten = forgotten.includes(entry);
        const flags = 2 * +isObsolete + 4 * +isRevoked + 8 * +wasNamed + 16 * +isForgotten;
        this.#hash(spec + 4 * flags + 1000 * key);
        this.#put(certificate.buyer);
        this.#put(certificate.place);
        this.#put(certificate.need);
        this.#put(certificate.due);
        for (const window of windows) this.#hash(this.#tokens.get(window) ?? 0);
      }
    }
  }

  #list(numbers: readonly number[] | undefined): void {
    if (!numbers) return this.#hash(0);
    this.#hash(numbers.length + 1);
    for (let index = 0; index < numbers.length; index += 1) this.#put(numbers[index]!);
  }

  /** Tokens are numbered as they come. */
  #put(number: number): void {
    if (number < TOKENS) return this.#hash(number);
    let index = this.#tokens.get(number);
    if (index === undefined) {
      index = this.#tokens.size;
      this.#tokens.set(number, index);
    }
    this.#hash(TOKENS + index);
  }

  #hash(number: number): void {
    this.#high = Math.imul(this.#high ^ number, 0x01000193) ^ (this.#low >>> 15);
    this.#low = Math.imul(this.#low + number + 0x7ed55d16, 0x85ebca6b) ^ (this.#high >>> 13);
  }
}

const phases: readonly Phase[] = ['standby', 'journal', 'missing', 'list', 'inventory', 'ready'];

const steps: readonly StepName[] = [
  'enter',
  'amend',
  'send',
  'reply',
  'secret',
  'result',
  'remove',
  'previous',
  'list',
  'live',
  'cluster',
];

function inOrder<T>(all: readonly T[], order: readonly number[], placeOf: (one: T) => number): readonly T[] {
  return all.length < 2 ? all : all.toSorted((a, b) => order.indexOf(placeOf(a)) - order.indexOf(placeOf(b)));
}
