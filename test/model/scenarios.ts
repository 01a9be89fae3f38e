import type { RuleName, Rules } from './rules.ts';
import { rulesWithout } from './rules.ts';
import { type Certificate, newResource, type Process, type Resource, type State } from './state.ts';
import type { Setting } from './turn.ts';
import { type EventName, eventNames } from './world.ts';

/** A world to search: who is there, and what may happen how often. */
export interface Scenario extends Partial<Omit<Setting, 'rules'>> {
  about: string;
  /** How each resource begins: wanting its first certificate, with one that is due, or with a sound one; `later` is created in an event. */
  resources: readonly ('new' | 'due' | 'ready' | 'later')[];
  processes: 1 | 2;
  /** A stranger's certificate with the same names and subject is there from the start. */
  hasStranger?: boolean;
  events: Partial<Record<EventName, number>>;
  /** How many events in all. */
  most: number;
}

const faults = { crash: 1, depose: 1, loseRequest: 1, loseReply: 1, slow: 1 } as const;

/** Each is searched to its end with `most` events; more are for a search on demand. */
export const scenarios = {
  issue: {
    about: 'one resource, two processes, all that can go wrong on the way',
    resources: ['new'],
    processes: 2,
    events: { ...faults, crash: 2, depose: 2, loseRequest: 2, failCheck: 1, changeSpec: 1 },
    most: 3,
  },
  late: {
    about: 'requests that may be carried out later than X',
    resources: ['new'],
    processes: 2,
    events: { ...faults, crash: 2, beyond: 2 },
    most: 3,
  },
  renew: {
    about: 'a reissue, and a person who reissues by hand',
    resources: ['due'],
    processes: 2,
    events: { ...faults, crash: 2, reissueByHand: 2, changeSpec: 1, beyond: 1 },
    most: 2,
  },
  tenants: {
    about: 'two tenants who ask for the same',
    resources: ['new', 'new'],
    processes: 2,
    events: { ...faults, changeSpec: 1, delete: 1 },
    most: 1,
  },
  neighbour: {
    about: 'a tenant who asks for what a neighbour has',
    resources: ['new', 'ready'],
    processes: 1,
    events: { ...faults, changeSpec: 1, delete: 1, dropSecret: 1 },
    most: 2,
  },
  stranger: {
    about: 'a person or another installation buys the same, outside of our windows',
    resources: ['new'],
    processes: 2,
    events: { ...faults, stranger: 2, delete: 1 },
    most: 2,
  },
  marked: {
    about: 'with the marker, strangers at any time, and an inventory',
    resources: ['new', 'ready'],
    processes: 1,
    marker: true,
    peopleAtAnyTime: true,
    events: { ...faults, stranger: 1, delete: 1, beyond: 1, inventory: 1 },
    most: 3,
  },
  recreate: {
    about: 'a resource is deleted and created again',
    resources: ['new'],
    processes: 2,
    events: { ...faults, delete: 1, recreate: 1, beyond: 1 },
    most: 3,
  },
  revoking: {
    about: 'what is let go of is revoked',
    resources: ['due', 'ready'],
    processes: 1,
    revokes: true,
    events: { crash: 1, loseReply: 1, changeSpec: 1, delete: 1, recreate: 1, forge: 1 },
    most: 2,
  },
  restore: {
    about: 'etcd is restored to an earlier moment',
    resources: ['due'],
    processes: 1,
    events: { crash: 1, loseReply: 1, snapshot: 1, restore: 1 },
    most: 4,
  },
  forged: {
    about: 'a tenant may write status',
    resources: ['due', 'ready'],
    processes: 1,
    events: { crash: 1, loseReply: 1, refuse: 1, dropSecret: 1, forge: 1, changeSpec: 1 },
    most: 2,
  },
  oldCrds: {
    about: 'the CRDs drop what they do not know',
    resources: ['new'],
    processes: 1,
    oldCrds: true,
    events: { crash: 1, loseReply: 1 },
    most: 2,
  },
  inventory: {
    about: 'an inventory at any time',
    resources: ['new'],
    processes: 2,
    marker: true,
    events: { ...faults, inventory: 2, delete: 1 },
    most: 3,
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

/** The setting of a scenario, with some rules off. */
export function settingOf(scenario: Scenario, off: readonly RuleName[] = []): Setting {
  const { marker = false, peopleAtAnyTime = false, oldCrds = false, revokes = false } = scenario;
  const rules: Rules = rulesWithout(...off);
  return { rules, marker, peopleAtAnyTime, oldCrds, revokes };
}

/** The state a scenario begins with. */
export function initialState({ resources, processes, hasStranger = false, events, most }: Scenario): State {
  const none = {
    spec: 0,
    key: 0,
    buyer: 0,
    place: -1,
    revision: 0,
    isObsolete: false,
    isRevoked: false,
    windows: [],
    later: [],
  };
  const certificates: Certificate[] = [none];
  if (hasStranger) certificates.push({ ...none, key: 1 });
  const ids = resources.map((start, r) => {
    if (start === 'new' || start === 'later') return 0;
    return certificates.push({ ...none, key: certificates.length, buyer: r + 1, place: r, revision: 1 }) - 1;
  });
  const highestId = certificates.length - 1;
  const process: Process = { leads: false, highestId, memory: ids.map(() => undefined), work: undefined };
  const begin = (id: number, r: number): Resource | undefined => {
    if (resources[r] === 'later') return undefined;
    return {
      ...newResource(r + 1),
      version: 10 + r,
      isDue: resources[r] === 'due',
      certificateId: id,
      revision: id > 0 ? 1 : 0,
    };
  };
  return {
    resources: ids.map(begin),
    secrets: ids.map((id, r) => (id > 0 ? { version: 20 + r, certificateId: id, uid: r + 1 } : undefined)),
    records: { givenUp: [], undecided: [], abandoned: [] },
    certificates,
    requests: [],
    processes: [...Array(processes).keys()].map((p) => ({ ...process, leads: p === 0 })),
    left: eventNames.map((name) => events[name] ?? 0),
    events: most,
    snapshot: undefined,
    inventory: undefined,
    reported: [],
    hidden: [],
    excuses: 0,
    isHalted: false,
    violation: undefined,
    nextToken: 100,
  };
}
