import { type Case, small } from './case.ts';

const one = ['new'] as const;
const two = ['new', 'new'] as const;
const healthy = small({ resources: one, events: {} });
const deposed = small({ resources: one, processes: 2, events: { depose: 1 } });
const frozen = small({
  resources: two,
  processes: 2,
  events: { depose: 1, loseRequest: 1, refuse: 1, delete: 1 },
});
const newborn = { resources: ['new', 'later'], events: { snapshot: 1, restore: 1, recreate: 1 } } as const;

/** Cases of the rules about a term: the journal, the Lease, what a process knows, and the room that there is. */
export const termCases: readonly Case[] = [
  {
    off: ['attemptBeforeCall'],
    world: small({ resources: one, events: { crash: 1 } }),
    breaks: 'doubled',
    tells: [/New without an entry/, /issues 1/, /dies/, /issues 2/],
    steps: 10,
  },
  {
    off: ['journalVersion'],
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
    world: deposed,
    breaks: 'doubled',
    tells: [/Q lists the resources/, /P writes the result 1/, /Q takes over/, /issues 2/],
    steps: 15,
  },
  {
    off: ['takeoverWrites', 'refusedRepeats'],
    world: deposed,
    breaks: 'doubled',
    tells: [/Q takes over and reads/, /P writes the journal; open: \[\]/, /reads it again/, /issues 2/],
    steps: 16,
  },
  {
    off: ['refusedRepeats'],
    world: deposed,
    breaks: 'doubled',
    tells: [/P reads it again/, /P writes the journal; open: \[\]/, /Q reads it again/, /issues 2/],
    steps: 17,
  },
  {
    off: ['leaseAfterRead', 'windowEnd'],
    world: frozen,
    breaks: 'wrongOwner',
    tells: [/P decides on A: recover/, /freezes/, /Q takes over/, /B is deleted/, /P, .* adopts 1/],
    steps: 30,
    isLong: true,
  },
  {
    off: ['sendGate'],
    world: deposed,
    breaks: 'doubled',
    tells: [/freezes/, /candidates \[\]/, /sends/, /issues 2/],
    steps: 17,
  },
  {
    off: ['randomIds'],
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
    world: small({ resources: one, events: { loseReply: 1, delete: 1 } }),
    breaks: 'doubled',
    tells: [/nobody hears/, /recover/, /A is deleted/, /finds it gone/, /open: \[\]/, /decides on A: New/],
    steps: 15,
  },
  {
    off: ['ownWrites'],
    world: healthy,
    breaks: 'doubled',
    tells: [/result 1/, /decides on A: New/],
    steps: 11,
  },
  {
    off: ['putBackWaits'],
    world: small({ ...newborn, events: { ...newborn.events, loseRequest: 1 } }),
    breaks: 'wrongOwner',
    tells: [/backup/, /B is created/, /sends/, /put back/, /issues 1/, /adopts 1/],
    steps: 23,
    isLong: true,
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
    world: small({ resources: two, events: { loseReply: 1, delete: 1, crash: 1 } }),
    breaks: 'wrongOwner',
    tells: [/is deleted/, /of the inventory/],
    steps: 11,
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
];
