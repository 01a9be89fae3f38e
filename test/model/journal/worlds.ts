import type { Case } from './cases.ts';
import { small } from './cases.ts';
import type { Scenario } from './scenarios.ts';

const faults = { crash: 1, depose: 1, loseRequest: 1, loseReply: 1, slow: 1, loseWrite: 1 } as const;

/** Worlds in which nothing breaks with all rules on, each with `most` events; more are for a search on demand. */
export const scenarios = {
  issue: {
    about: 'one resource, two processes, all that can go wrong on the way',
    resources: ['new'],
    processes: 2,
    events: { ...faults, crash: 2, depose: 2, refuse: 1, changeSpec: 1 },
    most: 2,
  },
  leaders: {
    about: 'three processes lead one after the other',
    resources: ['new'],
    processes: 3,
    events: { depose: 2, loseReply: 1, loseWrite: 1 },
    most: 2,
  },
  late: {
    about: 'requests that may be carried out later than X',
    resources: ['new'],
    processes: 2,
    events: { ...faults, beyond: 1 },
    most: 2,
  },
  renew: {
    about: 'a reissue, and a person who reissues by hand',
    resources: ['due'],
    processes: 2,
    events: { ...faults, reissueByHand: 2, changeSpec: 1, due: 1 },
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
    most: 1,
  },
  marked: {
    about: 'with the marker, two tenants, strangers at any time and an inventory',
    resources: ['new', 'ready'],
    processes: 1,
    marker: true,
    peopleAtAnyTime: true,
    events: { ...faults, stranger: 1, delete: 1, inventory: 1 },
    most: 2,
  },
  recreate: {
    about: 'a resource is deleted and created again',
    resources: ['new'],
    processes: 2,
    events: { ...faults, delete: 1, recreate: 1, beyond: 1, dropSecret: 1 },
    most: 2,
  },
  revoking: {
    about: 'what is given up is revoked',
    resources: ['due', 'ready'],
    processes: 1,
    revokes: true,
    events: { crash: 1, loseReply: 1, changeSpec: 1, delete: 1, forge: 1 },
    most: 1,
  },
  replayed: {
    about: 'a tenant puts back an earlier status of its own',
    resources: ['new'],
    processes: 1,
    events: { crash: 1, loseReply: 1, due: 1, dropSecret: 1, keepStatus: 1, replayStatus: 1 },
    most: 4,
  },
  forged: {
    about: 'a tenant writes what it likes into status and Secret',
    resources: ['due', 'ready'],
    processes: 1,
    events: { crash: 1, loseReply: 1, dropSecret: 1, forge: 1, forgeSecret: 1 },
    most: 1,
  },
  restored: {
    about: 'etcd is put back, without the marker',
    resources: ['due'],
    processes: 1,
    events: { crash: 1, loseReply: 1, snapshot: 1, restore: 1 },
    most: 3,
  },
  restoredMarked: {
    about: 'etcd is put back, with the marker',
    resources: ['new'],
    processes: 1,
    marker: true,
    events: { crash: 1, loseReply: 1, snapshot: 1, restore: 1 },
    most: 3,
  },
  namespace: {
    about: 'a namespace is put back, or the journal alone',
    resources: ['new'],
    processes: 1,
    events: { crash: 1, loseReply: 1, snapshot: 1, restorePlace: 1, restoreJournal: 1, due: 1 },
    most: 3,
  },
  missing: {
    about: 'the journal is deleted',
    resources: ['new'],
    processes: 2,
    events: { crash: 1, loseReply: 1, deleteJournal: 1 },
    most: 3,
  },
  repeated: {
    about: 'the CA repeats earlier answers',
    resources: ['new', 'ready'],
    processes: 1,
    events: { crash: 1, loseReply: 1, replay: 2 },
    most: 3,
  },
  repeatedOthers: {
    about: 'the CA repeats the answers to another request',
    resources: ['new', 'new'],
    specs: [0, 1],
    processes: 1,
    events: { loseReply: 1, replay: 2 },
    most: 1,
  },
  accounts: {
    about: 'two accounts that number alike, and a resource that goes from one to the other',
    resources: ['new'],
    processes: 1,
    accounts: 2,
    hasStranger: true,
    events: { crash: 1, loseReply: 1, loseRequest: 1, changeAccount: 2, due: 1 },
    most: 3,
  },
  inventory: {
    about: 'an inventory at any time',
    resources: ['new'],
    processes: 2,
    marker: true,
    events: { ...faults, inventory: 1, delete: 1 },
    most: 2,
  },
  small: {
    about: 'a journal that has room for one entry, and a text of any length',
    resources: ['new', 'new'],
    specs: [0, 1],
    processes: 1,
    room: 1,
    longText: 1,
    events: { crash: 1, loseReply: 1 },
    most: 1,
  },
} as const satisfies Record<string, Scenario>;

type Limit = Omit<Case, 'off'> & { about: string };

const one = ['new'] as const;

/** What breaks with all rules on: the price of a CA without request ids. */
export const limits: readonly Limit[] = [
  {
    about: 'without the marker, what a person buys while our own request is lost is taken for ours',
    world: small({ resources: one, peopleAtAnyTime: true, events: { loseRequest: 1, stranger: 1 } }),
    breaks: 'foreignAdopted',
    tells: [/request is lost/, /installation buys 1/, /adopts 1/],
    steps: 12,
  },
  {
    about: 'a certificate that a person reissues before any status names it is bought again',
    world: small({ resources: one, peopleAtAnyTime: true, events: { reissueByHand: 1, loseReply: 1 } }),
    breaks: 'doubled',
    tells: [/issues 1 .* nobody hears/, /person reissues 1: 2/, /issues 3/],
    steps: 14,
  },
  {
    about: 'a repeated answer that names what a person has bought meanwhile is believed without the marker',
    world: small({ resources: one, peopleAtAnyTime: true, events: { stranger: 1, replay: 1 } }),
    breaks: 'foreignAdopted',
    tells: [/installation buys 1/, /repeats an earlier answer; P hears of 1/],
    steps: 6,
  },
  {
    about: 'a request that is carried out later than X is bought again',
    world: strict({ resources: one, events: { slow: 1, beyond: 1 } }),
    breaks: 'doubled',
    tells: [/longer than T \+ X/, /adopts none/, /issues 1/, /issues 2/],
    steps: 15,
  },
  {
    about: 'without the marker, candidates that a neighbour may have bought cost another certificate',
    world: strict({ resources: ['new', 'ready'], events: { loseReply: 1 } }),
    breaks: 'doubled',
    tells: [/issues 2 .* nobody hears/, /adopts none/, /issues 3/],
    steps: 13,
  },
  {
    about: 'a tenant that puts back an earlier status and deletes its Secret has a certificate bought again',
    world: strict({ resources: one, events: { keepStatus: 1, replayStatus: 1, dropSecret: 1 } }),
    breaks: 'doubled',
    tells: [/keeps the status/, /result 1/, /puts back/, /issues 2/],
    steps: 15,
  },
  {
    about: 'without the marker a certificate bought since a backup is bought again after it is put back',
    world: strict({ resources: one, events: { snapshot: 1, restore: 1 } }),
    breaks: 'doubled',
    tells: [/backup/, /issues 1/, /put back/, /issues 2/],
    steps: 19,
  },
  {
    about: 'an entry that is lost with a deleted journal is bought again',
    world: strict({ resources: one, events: { deleteJournal: 1, crash: 1 } }),
    breaks: 'doubled',
    tells: [/dies/, /makes a new journal/, /issues 2/],
    steps: 16,
  },
  {
    about: 'so is one that is lost with a journal that was put back alone',
    trace: '8',
    world: strict({ resources: one, events: { snapshot: 1, restoreJournal: 1, crash: 1 } }),
    breaks: 'doubled',
    tells: [/backup/, /put back/, /issues 2/],
    steps: 17,
  },
  {
    about: 'and one of a namespace that was put back',
    world: strict({ resources: one, events: { snapshot: 1, restorePlace: 1 } }),
    breaks: 'doubled',
    tells: [/backup/, /put back/, /issues 2/],
    steps: 14,
  },
];

/** A world in which nothing is excused. */
function strict(world: Parameters<typeof small>[0]): Scenario {
  return small({ ...world, isStrict: true });
}
