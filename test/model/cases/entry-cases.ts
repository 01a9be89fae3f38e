import { type Case, small } from './case.ts';

const one = ['new'] as const;
const deposed = small({ resources: one, processes: 2, events: { depose: 1 } });
const fallen = small({ resources: ['new', 'ready'], processes: 2, events: { depose: 1 } });
const lowered = small({
  resources: one,
  processes: 2,
  events: { depose: 1, changeSpec: 1, dropSecret: 1 },
});
const two = ['new', 'new'] as const;
const rivals = small({ resources: two, events: { loseRequest: 1, delete: 1 } });

/** Cases of the rules about an open entry, from its request to the result that ends it. */
export const entryCases: readonly Case[] = [
  {
    off: ['secretVersion', 'secretNeverFalls'],
    world: fallen,
    breaks: 'secretFell',
    tells: [/freezes/, /adopts none/, /Q writes 3 to the Secret/, /P writes 2 to the Secret/],
    steps: 19,
  },
  {
    off: ['failedCheckKeepsId'],
    world: small({ resources: one, events: { failCheck: 1 } }),
    breaks: 'doubled',
    tells: [/hears of 1/, /cannot use what it fetches/, /issues 2/],
    steps: 9,
  },
  {
    off: ['resultEcho'],
    world: small({ resources: one, oldCrds: true, events: { dropSecret: 1 } }),
    breaks: 'doubled',
    tells: [/result 1/, /open: \[\]/, /Secret of A is deleted/, /issues 2/],
    steps: 12,
  },
  {
    off: ['unsentKeepsOperation'],
    world: small({ resources: ['due'], events: {} }),
    breaks: 'rekeyed',
    tells: [/decides on A: Reissue/, /held back by the send gate/, /decides on A: New/],
    steps: 8,
  },
  {
    off: ['removeLast'],
    world: deposed,
    breaks: 'doubled',
    tells: [/P writes 1 to the Secret/, /open: \[\]/, /freezes/, /Q decides on A: New/],
    steps: 14,
  },
  {
    off: ['resultReread', 'resultNeverFalls'],
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
    off: ['soleCountsEntries', 'oneOpen'],
    world: rivals,
    breaks: 'wrongOwner',
    tells: [/open: \[A B\]/, /issues 1/, /deleted/, /adopts 1/],
    steps: 15,
  },
  {
    off: ['oneOpen'],
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
    off: ['againAsItWas'],
    world: small({
      resources: ['ready'],
      events: { keepStatus: 1, replayStatus: 1, due: 1, changeSpec: 1 },
    }),
    breaks: 'stuck',
    tells: [/keeps the status/, /is due/, /decides on A: Reissue/, /puts back the status that names 1/],
    steps: 14,
  },
  {
    off: ['ownSecret'],
    world: small({ resources: ['new', 'ready'], events: { crash: 1 } }),
    breaks: 'doubled',
    tells: [/writes 2 to the Secret/, /dies/, /adopts none/, /issues 3/],
    steps: 18,
  },
  {
    off: ['heldNotGivenUp'],
    world: small({ resources: ['due'], revokes: true, events: { changeSpec: 1, crash: 1 } }),
    breaks: 'servedRevoked',
    tells: [/writes 2 to the Secret/, /dies/, /asks for something else/, /gives up \[2\]/],
    steps: 17,
  },
  {
    off: ['proofByKey'],
    world: small({ resources: ['ready', 'ready'], events: { forgeSecret: 1, dropSecret: 1 } }),
    breaks: 'wrongOwner',
    tells: [/without its key/, /result/, /fetch/],
    steps: 8,
  },
  {
    off: ['reachedDropped'],
    world: small({ resources: one, events: { snapshot: 1, restoreJournal: 1, due: 1 } }),
    breaks: 'doubled',
    tells: [/backup/, /put back/, /adopts none/],
    steps: 29,
  },
  {
    off: ['secretIntoStatus'],
    world: small({ resources: ['ready'], events: { keepStatus: 1, replayStatus: 1, changeSpec: 2 } }),
    breaks: 'stuck',
    tells: [/keeps the status/, /writes 3 to the Secret/, /puts back the status that names 1/],
    steps: 18,
  },
];
