import {
  ACCOUNT,
  accountOf,
  type Certificate,
  certificateOf,
  type Entry,
  QUIET,
  type Request,
} from './state.ts';
import { hear } from '../protocol/steps.ts';
import { setCertificate, setProcess, type Turn, violate } from './turn.ts';

/** One unit of time passes; not while a request ought to have been carried out by now. Who waits for a reply gives up. */
export function tick(turn: Turn): string | undefined {
  const { state } = turn;
  if (state.requests.some(({ isGivenUp, patience }) => patience < (isGivenUp ? 2 : 1))) return undefined;
  const older = (age: number): number => Math.min(age + 1, QUIET);
  state.requests = state.requests.map((request) => ({ ...request, isGivenUp: true }));
  state.windows = state.windows.map((window) => ({ ...window, age: older(window.age) }));
  for (const [p, process] of state.processes.entries()) {
    setProcess(turn, p, {
      wait: process.phase === 'missing' ? older(process.wait) : 0,
      memory: process.memory.map((memory) => ({ ...memory, wait: older(memory.wait) })),
      works: process.works
        .filter(({ next }) => next !== 'reply')
        .map((work) => ({ ...work, age: Math.min(work.age + 1, 1) })),
    });
  }
  return 'A unit of time passes.';
}

/** The CA carries out a request, and its answer is heard or lost. */
export function act(turn: Turn, index: number, isHeard = true): string {
  const { state } = turn;
  const request = state.requests[index]!;
  state.requests = state.requests.filter((_, other) => other !== index);
  if (request.patience === 2) state.excuses += 1;
  const id = buy(turn, request);
  const { operation, previousId } = request.entry;
  const done = id < 0 ? `refuses to reissue ${previousId}: NotLatest` : `issues ${id} (${operation})`;
  const heard = isHeard ? hear(turn, request, id) : undefined;
  return `The CA ${done}; ${heard ?? 'nobody hears of it.'}`;
}

/** The answer to an earlier request is repeated, whether the CA carries out this one or not. */
export function replay(turn: Turn, index: number, id: number, isCarriedOut: boolean): string | undefined {
  const { state } = turn;
  const request = state.requests[index]!;
  state.requests = state.requests.filter((_, other) => other !== index);
  const bought = isCarriedOut ? buy(turn, request) : 0;
  const heard = hear(turn, request, id);
  if (heard === undefined) return undefined;
  return `The CA ${bought > 0 ? `issues ${bought}` : 'does nothing'} and repeats an earlier answer; ${heard}`;
}

function buy(turn: Turn, { entry, patience }: Request): number {
  const { uid, place, operation, spec, account, previousId, need, id } = entry;
  const buyer = { buyer: uid, place, need, entry: id };
  if (operation === 'Reissue') return reissue(turn, previousId, buyer);
  if (turn.state.excuses === 0 && patience < 2 && hasLiveKey(turn, entry)) violate(turn, 'rekeyed');
  return issue(turn, account, spec, buyer);
}

/** Whether the resource has a certificate for the same from before this need, whose key could have been kept. */
function hasLiveKey({ state }: Turn, { uid, spec, account, need }: Entry): boolean {
  const resource = state.resources.find((other) => other?.uid === uid);
  if (!resource || resource.status.isForged || resource.status.spec !== spec) return false;
  const id = resource.status.certificateId;
  const { key, need: earlier } = certificateOf(state, id) ?? {};
  if (key === undefined || earlier === need || accountOf(id) !== account) return false;
  return state.certificates[account]!.some(
    (other) => other.key === key && !other.isObsolete && !other.isRevoked,
  );
}

type Buyer = Pick<Certificate, 'buyer' | 'place' | 'need' | 'entry'>;

export const STRANGER: Buyer = { buyer: 0, place: 0, need: 0, entry: 0 };

/** cert/new. */
export function issue(turn: Turn, account: number, spec: number, buyer: Buyer, key?: number): number {
  const { certificates, windows } = turn.state;
  const register = certificates[account]!;
  const id = account * ACCOUNT + register.length;
  const issued: Certificate = {
    spec,
    key: key ?? id,
    ...buyer,
    due: 0,
    isObsolete: false,
    isRevoked: false,
    wasNamed: false,
    windows: windows.filter(({ age }) => age < QUIET).map((window) => window.id),
  };
  turn.state.certificates = certificates.with(account, [...register, issued]);
  return id;
}

/** cert/reissue: a new id, the same key. -1 for NotLatest. */
export function reissue(turn: Turn, id: number, by: Buyer): number {
  const { state } = turn;
  const old = certificateOf(state, id);
  if (!old || old.isObsolete) return -1;
  if (by.buyer !== 0 && certificateOf(state, old.key)?.place !== by.place) violate(turn, 'foreignReissued');
  setCertificate(turn, id, { isObsolete: true });
  return issue(turn, accountOf(id), old.spec, by, old.key);
}
