import type { RuleName } from '../rules.ts';
import { rulesWithout } from '../rules.ts';
import { type EventName, eventNames } from '../world/events.ts';
import {
  ACCOUNT,
  type Certificate,
  type Journal,
  noStatus,
  type Process,
  type Resource,
  type State,
  tokenOfPlace,
  TOKENS,
} from '../world/state.ts';
import type { Setting } from '../world/turn.ts';

/** How a resource begins: wanting its first certificate, with one that is due or sound, or created in an event. */
type Start = 'new' | 'due' | 'ready' | 'later';

/** A world to search: who is there, and what may happen how often. */
export interface Scenario extends Partial<Omit<Setting, 'rules'>> {
  about: string;
  resources: readonly Start[];
  /** What each resource asks for, 0 where nothing is said. */
  specs?: readonly number[];
  /** The account of each one's issuer, 0 where nothing is said. */
  issuers?: readonly number[];
  processes: 1 | 2 | 3;
  accounts?: 1 | 2;
  /** A stranger's certificate with the same names is there from the start, in the last account. */
  hasStranger?: boolean;
  events: Partial<Record<EventName, number>>;
  /** How many events in all. */
  most: number;
}

/** The setting of a scenario, with some rules off. */
export function settingOf(scenario: Scenario, off: readonly RuleName[] = []): Setting {
  const { marker = false, peopleAtAnyTime = false, revokes = false, room = 9 } = scenario;
  const { longText = -1, oldCrds = false, isStrict = false } = scenario;
  const rules = rulesWithout(...off);
  return { rules, marker, peopleAtAnyTime, revokes, room, longText, oldCrds, isStrict };
}

const none: Certificate = {
  spec: 0,
  key: 0,
  buyer: 0,
  entry: 0,
  place: 0,
  need: 0,
  due: 0,
  isObsolete: false,
  isRevoked: false,
  wasNamed: false,
  windows: [],
};

/** The state a scenario begins with: the first process leads, and its takeover is done. */
export function initialState(scenario: Scenario): State {
  const {
    resources,
    specs = [],
    issuers = [],
    processes,
    accounts = 1,
    hasStranger = false,
    events,
    most,
  } = scenario;
  const registers: Certificate[][] = Array.from({ length: accounts }, () => [none]);
  if (hasStranger) registers.at(-1)!.push({ ...none, key: (accounts - 1) * ACCOUNT + 1 });
  const uidOf = (place: number): number => TOKENS + 10 + place;
  const ids = resources.map((start, place) => {
    if (start === 'new' || start === 'later') return 0;
    const register = registers[0]!;
    const id = register.length;
    register.push({
      ...none,
      spec: specs[place] ?? 0,
      key: id,
      buyer: uidOf(place),
      place: tokenOfPlace(place),
      need: TOKENS + 70 + place,
      due: start === 'due' ? TOKENS + 80 + place : 0,
      wasNamed: true,
    });
    return id;
  });
  const live = resources.map((start, place): Resource | undefined => {
    const spec = specs[place] ?? 0;
    if (start === 'later') return undefined;
    const certificateId = ids[place]!;
    const status =
      certificateId > 0
        ? { certificateId, spec, revision: 1, entry: TOKENS + 30 + place, isForged: false }
        : noStatus;
    return {
      uid: uidOf(place),
      version: TOKENS + 20 + place,
      spec,
      account: issuers[place] ?? 0,
      need: TOKENS + 60 + place,
      status,
    };
  });
  const secrets = ids.map((id, place) =>
    id > 0 ? { version: TOKENS + 40 + place, uid: uidOf(place), certificateId: id, key: id } : undefined,
  );
  const known = registers.map((register, account) =>
    register.length > 1 ? account * ACCOUNT + register.length - 1 : 0,
  );
  const journal: Journal = {
    version: TOKENS + 50,
    entries: [],
    highest: known,
    givenUp: [],
    released: [],
    undecided: [],
    abandoned: [],
    counter: 0,
  };
  const standby: Process = {
    leads: false,
    phase: 'standby',
    wait: 0,
    journal: undefined,
    views: live.map((resource, place) => ({ resource, secret: secrets[place] })),
    works: [],
    memory: [],
    inventory: [],
    known,
  };
  return {
    resources: live,
    secrets,
    journal,
    certificates: registers,
    requests: [],
    processes: [...Array(processes).keys()].map((p) =>
      p === 0 ? { ...standby, leads: true, phase: 'ready', journal } : standby,
    ),
    windows: [],
    left: eventNames.map((name) => events[name] ?? 0),
    events: most,
    snapshot: undefined,
    kept: resources.map(() => undefined),
    inventory: undefined,
    reported: [],
    isPutBack: false,
    lost: undefined,
    forgotten: [],
    excuses: 0,
    isHalted: false,
    violation: undefined,
    nextToken: TOKENS + 100,
  };
}
