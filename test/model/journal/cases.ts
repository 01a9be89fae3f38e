import type { RuleName } from './rules.ts';
import type { Scenario } from './scenarios.ts';

/** What breaks without a rule, in a world as small as will do. */
export interface Case {
  /** The rule that the case is for, and the rules that would each catch the same by themselves. */
  off: readonly [RuleName, ...RuleName[]];
  /** The trace of the reference, or its ablation, that the case repeats. */
  trace?: string;
  world: Scenario;
  breaks: string;
  /** What the shortest trace tells, in this order. */
  tells: readonly RegExp[];
  /** How many steps it has. */
  steps: number;
  /** Looks for `breaks` alone: something else breaks sooner. */
  isOnly?: true;
  /** Takes too long for the tests; `main.ts --cases` searches it. */
  isLong?: true;
}

type World = Pick<Scenario, 'resources' | 'events'> & Partial<Scenario>;

/** A world with one process, in which all the events named may happen. */
export function small(world: World): Scenario {
  const most = Object.values(world.events).reduce((sum, count) => sum + count, 0);
  return { about: 'as small as will do', processes: 1, most, ...world };
}

const one = ['new'] as const;
const two = ['new', 'new'] as const;

const healthy = small({ resources: one, events: {} });
const deposed = small({ resources: one, processes: 2, events: { depose: 1 } });
const lowered = small({
  resources: one,
  processes: 2,
  events: { depose: 1, changeSpec: 1, dropSecret: 1 },
});
const rivals = small({ resources: two, events: { loseRequest: 1, delete: 1 } });
const frozen = small({
  resources: two,
  processes: 2,
  events: { depose: 1, loseRequest: 1, refuse: 1, delete: 1 },
});
const newborn = { resources: ['new', 'later'], events: { snapshot: 1, restore: 1, recreate: 1 } } as const;
const inventory = small({ resources: one, marker: true, events: { inventory: 1 } });

/** Without a rule something breaks. */
export const cases: readonly Case[] = [
  {
    off: ['journalVersion'],
    trace: 'no version on the journal’s write',
    world: small({ resources: one, processes: 2, events: { depose: 1, loseReply: 1 } }),
    breaks: 'doubled',
    tells: [/freezes/, /Q writes the journal/, /issues 1/, /P writes the journal/, /candidates \[\]/],
    steps: 23,
  },
  {
    off: ['takeoverLists'],
    world: deposed,
    breaks: 'doubled',
    tells: [/freezes/, /Q takes over/, /Q decides on A: New/],
    steps: 14,
  },
  {
    off: ['journalFirst'],
    trace: 'LIST before journal',
    world: deposed,
    breaks: 'doubled',
    tells: [/Q lists the resources/, /P writes the result 1/, /Q takes over/, /issues 2/],
    steps: 15,
  },
  {
    off: ['takeoverWrites', 'refusedRepeats'],
    trace: '2',
    world: deposed,
    breaks: 'doubled',
    tells: [/Q takes over and reads/, /P writes the journal; open: \[\]/, /reads it again/, /issues 2/],
    steps: 16,
  },
  {
    off: ['refusedRepeats'],
    trace: '2',
    world: deposed,
    breaks: 'doubled',
    tells: [/P reads it again/, /P writes the journal; open: \[\]/, /Q reads it again/, /issues 2/],
    steps: 17,
  },
  {
    off: ['leaseAfterRead', 'window'],
    trace: '4',
    world: frozen,
    breaks: 'wrongOwner',
    tells: [/P decides on A: recover/, /freezes/, /Q takes over/, /B is deleted/, /P, .* adopts 1/],
    steps: 30,
    isLong: true,
  },
  {
    off: ['sendGate'],
    trace: 'no send window',
    world: deposed,
    breaks: 'doubled',
    tells: [/freezes/, /candidates \[\]/, /sends/, /issues 2/],
    steps: 17,
  },
  {
    off: ['randomIds'],
    trace: 'ids from a counter in the journal',
    world: small({
      resources: one,
      events: { snapshot: 1, restoreJournal: 1, changeSpec: 1, loseReply: 1 },
    }),
    breaks: 'doubled',
    tells: [/journal alone is put back/, /issues 2 .* nobody hears/, /entry named by the status/],
    steps: 28,
    isLong: true,
  },
  {
    off: ['liveFloor'],
    trace: '1',
    world: small({ resources: one, events: { loseReply: 1, delete: 1 } }),
    breaks: 'doubled',
    tells: [/nobody hears/, /recover/, /A is deleted/, /finds it gone/, /open: \[\]/, /decides on A: New/],
    steps: 15,
  },
  {
    off: ['ownWrites'],
    trace: 'own writes not remembered',
    world: healthy,
    breaks: 'doubled',
    tells: [/result 1/, /decides on A: New/],
    steps: 11,
  },
  {
    off: ['removeLast'],
    trace: 'entry removed before the result',
    world: deposed,
    breaks: 'doubled',
    tells: [/P writes 1 to the Secret/, /open: \[\]/, /freezes/, /Q decides on A: New/],
    steps: 14,
  },
  {
    off: ['resultReread', 'resultNeverFalls'],
    trace: '10',
    world: lowered,
    breaks: 'doubled',
    tells: [/freezes/, /Q writes the result 2/, /P writes the result 1/, /issues 3/],
    steps: 31,
    isLong: true,
  },
  {
    off: ['resultNeverFalls', 'resultReread'],
    trace: '10',
    world: lowered,
    breaks: 'doubled',
    tells: [/freezes/, /Q writes the result 2/, /P writes the result 1/, /issues 3/],
    steps: 31,
    isLong: true,
  },
  {
    off: ['namedDropped', 'reachedDropped'],
    world: small({ resources: ['new', 'ready'], events: { crash: 1 } }),
    breaks: 'doubled',
    tells: [/result 2/, /dies/, /recover/, /adopts none/, /issues 3/],
    steps: 19,
  },
  {
    off: ['oneOpen', 'soleCountsEntries'],
    trace: '3',
    world: rivals,
    breaks: 'wrongOwner',
    tells: [/open: \[A B\]/, /issues 1/, /deleted/, /adopts 1/],
    steps: 15,
  },
  {
    off: ['soleCountsEntries', 'oneOpen'],
    trace: '3',
    world: rivals,
    breaks: 'wrongOwner',
    tells: [/open: \[A B\]/, /issues 1/, /deleted/, /adopts 1/],
    steps: 15,
  },
  {
    off: ['oneOpen'],
    trace: '3, with the entry removed',
    world: rivals,
    breaks: 'wrongOwner',
    tells: [/open: \[A B\]/, /issues 1/, /deleted/, /adopts 1/],
    steps: 18,
  },
  {
    off: ['concludeFirst'],
    world: small({ resources: one, events: { loseReply: 1, changeSpec: 1 } }),
    breaks: 'lost',
    tells: [/issues 1 .* nobody hears/, /asks for something else/, /result 2/],
    steps: 14,
  },
  {
    off: ['highestInJournal', 'window'],
    trace: '5',
    world: small({
      resources: two,
      processes: 2,
      events: { depose: 1, loseRequest: 1, delete: 1 },
    }),
    breaks: 'wrongOwner',
    tells: [/freezes/, /request is lost/, /is deleted/, /adopts 1/],
    steps: 23,
    isLong: true,
  },
  {
    off: ['window'],
    world: small({ resources: one, events: { loseRequest: 1, stranger: 1 } }),
    breaks: 'foreignAdopted',
    tells: [/request is lost/, /time passes/, /installation buys 1/, /adopts 1/],
    steps: 12,
  },
  {
    off: ['putBackUnsure'],
    trace: '7',
    world: small({ ...newborn, events: { ...newborn.events, refuse: 1 } }),
    breaks: 'wrongOwner',
    tells: [/refuses/, /backup/, /B is created/, /issues 1/, /put back/, /adopts 1/],
    steps: 27,
    isLong: true,
  },
  {
    off: ['putBackWaits'],
    trace: '7',
    world: small({ ...newborn, events: { ...newborn.events, loseRequest: 1 } }),
    breaks: 'wrongOwner',
    tells: [/backup/, /B is created/, /sends/, /put back/, /issues 1/, /adopts 1/],
    steps: 23,
  },
  {
    off: ['ownSecret'],
    trace: '9',
    world: small({ resources: ['new', 'ready'], events: { crash: 1 } }),
    breaks: 'doubled',
    tells: [/writes 2 to the Secret/, /dies/, /adopts none/, /issues 3/],
    steps: 18,
  },
  {
    off: ['proofByKey'],
    world: small({ resources: ['ready', 'ready'], events: { forgeSecret: 1, dropSecret: 1 } }),
    breaks: 'wrongOwner',
    tells: [/without its key/, /result/, /fetch/],
    steps: 8,
  },
  {
    off: ['reachedDropped', 'namedDropped'],
    world: small({ resources: ['new', 'ready'], events: { crash: 1 } }),
    breaks: 'doubled',
    tells: [/result 2/, /dies/, /recover/, /adopts none/, /issues 3/],
    steps: 19,
  },
  {
    off: ['reachedDropped'],
    world: small({ resources: one, events: { snapshot: 1, restoreJournal: 1, due: 1 } }),
    breaks: 'doubled',
    tells: [/backup/, /put back/, /adopts none/],
    steps: 29,
  },
  {
    off: ['leaderRewrites'],
    world: small({ resources: two, specs: [0, 1], events: { deleteJournal: 1 } }),
    breaks: 'doubled',
    tells: [/journal is deleted/, /finds the journal missing/, /makes a new journal/],
    steps: 16,
  },
  {
    off: ['missingWaits'],
    world: small({ resources: two, events: { deleteJournal: 1, crash: 1, loseRequest: 1, delete: 1 } }),
    breaks: 'wrongOwner',
    tells: [/journal is deleted/, /makes a new journal/, /request is lost/, /adopts 1/],
    steps: 21,
    isLong: true,
  },
  {
    off: ['inventoryFirst'],
    world: small({ resources: one, marker: true, events: { snapshot: 1, restore: 1 } }),
    breaks: 'doubled',
    tells: [/backup/, /put back/, /issues 2/],
    steps: 20,
  },
  {
    off: ['inventoryByKey'],
    trace: '7, adopting by “sole”',
    world: small({ resources: two, events: { loseReply: 1, delete: 1, crash: 1 } }),
    breaks: 'wrongOwner',
    tells: [/is deleted/, /of the inventory/],
    steps: 11,
  },
  {
    off: ['goneConcluded'],
    world: small({ resources: one, events: { delete: 1 } }),
    breaks: 'lost',
    tells: [/A is deleted/, /forgets the entry/],
    steps: 9,
  },
  {
    off: ['unmarkedKept'],
    trace: '6, taken for ours and revoked',
    world: small({
      resources: one,
      revokes: true,
      peopleAtAnyTime: true,
      events: { stranger: 1, delete: 1, loseRequest: 1 },
    }),
    breaks: 'foreignRevoked',
    tells: [/installation buys 1/, /gives up \[1\]/],
    steps: 12,
    isOnly: true,
  },
  {
    off: ['recordAbandoned'],
    world: small({ resources: one, events: { slow: 1, beyond: 1 } }),
    breaks: 'lost',
    tells: [/longer than T \+ X/, /issues 1 .* nobody hears/, /result 2/],
    steps: 18,
  },
  {
    off: ['journalBeforeClaims'],
    trace: '6',
    world: inventory,
    breaks: 'misreported',
    tells: [/inventory lists the resources/, /result 1/, /orphans \[1\]/],
    steps: 10,
  },
  {
    off: ['fixedSize'],
    world: small({ resources: two, specs: [0, 1], longText: 1, events: {} }),
    breaks: 'stuck',
    tells: [],
    steps: 0,
  },
  {
    off: ['capped'],
    world: small({ resources: two, specs: [0, 1], room: 1, events: {} }),
    breaks: 'stuck',
    tells: [],
    steps: 0,
  },
  {
    off: ['replyAboveFloor'],
    world: small({ resources: one, hasStranger: true, events: { replay: 1 } }),
    breaks: 'foreignAdopted',
    tells: [/repeats an earlier answer; P hears of 1/],
    steps: 5,
  },
  {
    off: ['replyUnclaimed'],
    world: small({ resources: two, specs: [0, 1], events: { replay: 1 } }),
    breaks: 'stuck',
    tells: [/result 1/, /repeats an earlier answer; P hears of 1, which fails the checks/],
    steps: 10,
  },
  {
    off: ['replyFits'],
    world: small({ resources: ['due'], peopleAtAnyTime: true, events: { replay: 1, stranger: 1 } }),
    breaks: 'foreignAdopted',
    tells: [/installation buys 2/, /repeats an earlier answer; P hears of 2/],
    steps: 6,
  },
  {
    off: ['replyOnce'],
    world: small({ resources: ['new', 'ready'], events: { replay: 2 } }),
    breaks: 'doubled',
    tells: [/does nothing and repeats/, /adopts none/, /issues 2 and repeats/, /adopts none/, /issues 3/],
    steps: 22,
  },
  {
    off: ['accountOfEntry'],
    world: small({
      resources: two,
      issuers: [0, 1],
      accounts: 2,
      events: { loseReply: 1, changeAccount: 1 },
    }),
    breaks: 'wrongOwner',
    tells: [/issues 101/, /another account/, /adopts 1\./],
    steps: 16,
  },
  {
    off: ['idsByAccount'],
    world: small({ resources: one, accounts: 2, events: { changeAccount: 1 } }),
    breaks: 'doubled',
    tells: [/another account/, /issues 101/, /issues 102/],
    steps: 21,
  },
  {
    off: ['sealed'],
    world: small({ resources: ['ready', 'ready'], events: { forge: 1 } }),
    breaks: 'wrongOwner',
    tells: [/into the status/, /to the Secret/],
    steps: 4,
  },
];

/** Rules without which nothing breaks within the bounds: they save a certificate, or another rule holds as well. */
export const savers: readonly Pick<Case, 'off' | 'world'>[] = [
  {
    off: ['freshAfterId'],
    world: small({ resources: one, events: { loseRequest: 1, loseReply: 1, slow: 1, beyond: 1, crash: 1 } }),
  },
];
