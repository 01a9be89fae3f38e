import { type Attempt, type Cluster, isOpen, type Resource, type State, type Work } from './state.ts';

/**
 * A number for a state that is the same for states which differ only in their tokens, in the order of the processes or
 * in the order of equal resources. 53 bits: among a million states two collide once in twenty thousand searches.
 */
export function digestOf(state: State, isSymmetric: boolean): number {
  const straight = new Digest().state(state, [0, 1]);
  return isSymmetric ? Math.min(straight, new Digest().state(state, [1, 0])) : straight;
}

class Digest {
  #high = 0x811c9dc5;
  #low = 0x9e3779b9;
  readonly #tokens: number[] = [];

  state(state: State, order: readonly number[]): number {
    const inOrder = order.slice(0, state.resources.length);
    this.#cluster(state, inOrder);
    if (state.snapshot) this.#cluster(state.snapshot, inOrder);
    const leader = state.processes.findIndex(({ leads }) => leads);
    const processes = [leader, ...state.processes.keys()].filter((p, index) => index === 0 || p !== leader);
    for (const p of processes) this.#process(state, p, inOrder);
    this.#put(state.requests.length);
    for (const { attempt, uid, resource, revision, process, left, patience } of state.requests) {
      this.#attempt(attempt);
      this.#token(uid);
      this.#all(inOrder.indexOf(resource), revision, processes.indexOf(process), left, patience);
    }
    this.#certificates(state, inOrder);
    const { inventory } = state;
    this.#list(inventory?.ids);
    if (inventory?.cluster) this.#cluster(inventory.cluster, inOrder);
    this.#list(state.reported);
    this.#list(state.hidden);
    this.#list(state.left);
    this.#all(state.events, state.excuses, +state.isHalted, state.violation === undefined ? 0 : 1);
    return (this.#high >>> 0) * 2 ** 21 + (this.#low >>> 11);
  }

  #cluster({ resources, secrets, records }: Cluster, order: readonly number[]): void {
    for (const r of order) {
      this.#resource(resources[r]);
      const secret = secrets[r];
      this.#put(secret ? 1 : 0);
      if (!secret) continue;
      this.#token(secret.version);
      this.#token(secret.uid);
      this.#put(secret.certificateId);
    }
    this.#list(records.givenUp);
    this.#list(records.undecided);
    this.#put(records.abandoned.length);
    for (const { uid, resource, spec, afterId } of records.abandoned) {
      this.#token(uid);
      this.#all(order.indexOf(resource), spec, afterId);
    }
  }

  #resource(resource: Resource | undefined): void {
    this.#put(resource ? 1 : 0);
    if (!resource) return;
    this.#token(resource.uid);
    this.#token(resource.version);
    const { spec, certificateId, issuedSpec, revision } = resource;
    const flags = +resource.isDue + 2 * +resource.isDeleting + 4 * +resource.isForged;
    this.#all(spec, certificateId, issuedSpec, revision, flags);
    this.#attempt(resource.attempt);
  }

  #attempt(attempt: Attempt | undefined): void {
    this.#put(attempt ? 1 : 0);
    if (!attempt) return;
    this.#token(attempt.id);
    this.#token(attempt.window);
    const { operation, spec, previousId, afterId, age, certificateId, refused } = attempt;
    this.#all(operation === 'New' ? 0 : 1, spec, previousId, afterId, age, certificateId, +refused);
  }

  /** A note on an attempt that is no longer the resource's is never read again, unless a restore brings it back. */
  #process({ processes, resources, snapshot }: State, p: number, order: readonly number[]): void {
    const { highestId, memory, work } = processes[p]!;
    this.#put(highestId);
    for (const r of order) {
      const about = memory[r];
      const resource = resources[r];
      const isRead =
        about && (snapshot || (resource && isOpen(resource) && resource.attempt?.id === about.attempt));
      this.#put(isRead ? 1 : 0);
      if (!isRead) continue;
      this.#token(about.attempt);
      const { wait, unsent, bought } = about;
      this.#all(unsent || bought > 0 ? 0 : wait, +unsent, bought);
    }
    this.#put(work ? 1 : 0);
    if (work) this.#work(work, order);
  }

  #work(work: Work, order: readonly number[]): void {
    this.#all(order.indexOf(work.resource), codeOf(work.next), codeOf(work.afterRecord));
    this.#resource(work.seen);
    this.#token(work.secretVersion);
    this.#attempt(work.attempt);
    const flags =
      (work.operation === 'New' ? 0 : 1) + 2 * +work.isPreviousObsolete + 4 * +work.toRecord.abandoned;
    const isTimed = work.next === 'send' || work.next === 'reply';
    this.#all(flags, isTimed ? Math.min(work.age, 1) : 0, work.certificateId, work.reply + 1);
    this.#list(work.toRecord.givenUp);
    this.#list(work.toRecord.undecided);
    this.#list(work.candidates);
    this.#list(work.strangers);
    this.#list(work.missing);
    this.#put(work.others ? 1 : 0);
    if (work.others) this.#cluster(work.others, order);
  }

  /** Windows of attempts that are no more make no difference. */
  #certificates({ certificates }: State, order: readonly number[]): void {
    const known = this.#tokens.length;
    this.#put(certificates.length);
    for (const certificate of certificates) {
      const { spec, key, buyer, place, revision, isObsolete, isRevoked, windows, later } = certificate;
      this.#all(spec, key, revision, +isObsolete + 2 * +isRevoked, order.indexOf(place));
      this.#token(buyer);
      this.#set(windows, known);
      this.#set(later, known);
    }
  }

  /** Tokens in any order, of those that something else refers to. */
  #set(tokens: readonly number[], known: number): void {
    let bits = 0;
    for (const token of tokens) {
      const index = this.#tokens.indexOf(token);
      if (index >= 0 && index < known) bits += 2 ** index;
    }
    this.#put(bits);
  }

  /** Tokens are numbered as they come. */
  #token(token: number): void {
    if (token === 0) return this.#put(0);
    let index = this.#tokens.indexOf(token);
    if (index < 0) index = this.#tokens.push(token) - 1;
    this.#put(index + 1);
  }

  #list(numbers: readonly number[] | undefined): void {
    this.#put(numbers ? numbers.length + 1 : 0);
    for (const number of numbers ?? []) this.#put(number);
  }

  #all(...numbers: readonly number[]): void {
    for (const number of numbers) this.#put(number);
  }

  #put(number: number): void {
    this.#high = Math.imul(this.#high ^ number, 0x01000193) ^ (this.#low >>> 15);
    this.#low = Math.imul(this.#low + number + 0x7ed55d16, 0x85ebca6b) ^ (this.#high >>> 13);
  }
}

const names = [
  'attempt',
  'send',
  'reply',
  'record',
  'secret',
  'result',
  'vanish',
  'previous',
  'list',
  'live',
  'cluster',
] as const satisfies readonly Work['next'][];

function codeOf(step: Work['next']): number {
  return names.indexOf(step);
}
