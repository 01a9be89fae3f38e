import { type Case, small } from './case.ts';

const one = ['new'] as const;
const two = ['new', 'new'] as const;
const newborn = { resources: ['new', 'later'], events: { snapshot: 1, restore: 1, recreate: 1 } } as const;
const due = ['due'] as const;
const stranger = small({ resources: one, events: { stranger: 1, loseRequest: 1 } });

/** Cases of the rules by which a recovery finds out what an entry bought. */
export const recoveryCases: readonly Case[] = [
  {
    off: ['waitBeforeRecovery'],
    world: small({ resources: one, events: { crash: 1 } }),
    breaks: 'doubled',
    tells: [/sends New/, /dies/, /candidates \[\]/, /issues 1/, /issues 2/],
    steps: 15,
  },
  {
    off: ['notLatestRecovers'],
    world: small({ resources: due, events: { reissueByHand: 1 } }),
    breaks: 'rekeyed',
    tells: [/person reissues 1: 2/, /hears NotLatest and asks for a new one/, /issues 3/],
    steps: 8,
  },
  {
    off: ['previousBeforeList'],
    world: small({ resources: due, events: { loseRequest: 1, reissueByHand: 1 } }),
    breaks: 'rekeyed',
    tells: [/candidates \[\]/, /person reissues 1: 2/, /previous one is obsolete/, /adopts none: New/],
    steps: 14,
  },
  {
    off: ['listBeforeCluster', 'windowEnd', 'oneOpen'],
    world: small({ resources: ['new', 'later'], events: { loseRequest: 1, recreate: 1 } }),
    breaks: 'wrongOwner',
    tells: [/recovering A, lists the cluster/, /B is created/, /issues 1/, /candidates \[1\]/, /adopts 1/],
    steps: 20,
  },
  {
    off: ['reissueByKey'],
    world: small({ resources: due, events: { stranger: 1, loseRequest: 1 } }),
    breaks: 'foreignAdopted',
    tells: [/request is lost/, /installation buys 2/, /candidates \[2\]/, /adopts 2/],
    steps: 12,
  },
  {
    off: ['aboveAfterId', 'windowStart'],
    world: small({ resources: one, hasStranger: true, events: { loseRequest: 1 } }),
    breaks: 'foreignAdopted',
    tells: [/request is lost/, /candidates \[1\]/, /adopts 1/],
    steps: 11,
  },
  {
    off: ['windowStart'],
    world: stranger,
    breaks: 'foreignAdopted',
    tells: [/installation buys 1/, /writes the journal/, /request is lost/, /adopts 1/],
    steps: 12,
  },
  {
    off: ['windowEnd'],
    world: stranger,
    breaks: 'foreignAdopted',
    tells: [/request is lost/, /time passes/, /time passes/, /installation buys 1/, /adopts 1/],
    steps: 12,
  },
  {
    off: ['oneCandidate'],
    world: small({ resources: one, peopleAtAnyTime: true, events: { stranger: 1, loseReply: 1 } }),
    breaks: 'foreignAdopted',
    tells: [/issues 1 .* nobody hears/, /candidates \[1 2\]/, /adopts 2/],
    steps: 12,
  },
  {
    off: ['skipClaimed', 'oneOpen'],
    world: small({ resources: two, events: { loseRequest: 1, changeSpec: 1 } }),
    breaks: 'wrongOwner',
    tells: [/open: \[A B\]/, /result 1 for A/, /request is lost/, /A asks for something else/, /adopts 1/],
    steps: 18,
    isOnly: true,
    isLong: true,
  },
  {
    off: ['skipReissued'],
    world: small({
      resources: ['new', 'ready'],
      events: { loseRequest: 1, reissueByHand: 1, changeSpec: 1 },
    }),
    breaks: 'wrongOwner',
    tells: [/request is lost/, /person reissues 1: 2/, /B asks for something else/, /adopts 2/],
    steps: 13,
  },
  {
    off: ['sole', 'oneOpen', 'soleCountsEntries'],
    world: small({ resources: two, events: { loseRequest: 1 } }),
    breaks: 'wrongOwner',
    tells: [/open: \[A B\]/, /issues 1/, /request is lost/, /candidates \[1\]/, /adopts 1/],
    steps: 14,
  },
  {
    off: ['sole', 'recordAbandoned'],
    world: small({ resources: two, events: { slow: 1, beyond: 1, loseRequest: 1 } }),
    breaks: 'wrongOwner',
    tells: [
      /longer than T \+ X/,
      /result 1 for A/,
      /issues 2 .* nobody hears/,
      /request is lost/,
      /adopts 2/,
    ],
    steps: 29,
    isOnly: true,
  },
  {
    off: ['foreignSeen'],
    world: { ...stranger, hasStranger: true, peopleAtAnyTime: true },
    breaks: 'foreignAdopted',
    tells: [/request is lost/, /installation buys 2/, /adopts 2/],
    steps: 12,
  },
  {
    off: ['ownSecretFits', 'recordGivenUp'],
    world: small({ resources: due, processes: 2, events: { depose: 1, changeSpec: 1, loseReply: 1 } }),
    breaks: 'wrongNames',
    tells: [/freezes/, /gives up \[2\]/, /P writes 2 to the Secret/, /adopts 2, which the Secret holds/],
    steps: 29,
    isOnly: true,
    isLong: true,
  },
  {
    off: ['highestInJournal', 'windowStart'],
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
    off: ['putBackUnsure'],
    world: small({ ...newborn, events: { ...newborn.events, refuse: 1 } }),
    breaks: 'wrongOwner',
    tells: [/refuses/, /backup/, /B is created/, /issues 1/, /put back/, /adopts 1/],
    steps: 27,
    isLong: true,
  },
  {
    off: ['successorStays'],
    world: small({ resources: ['due'], events: { loseReply: 1, changeSpec: 2 } }),
    breaks: 'rekeyed',
    tells: [/gives up \[2\]/, /asks for something else/, /NotLatest/, /adopts none: New/],
    steps: 28,
  },
];
