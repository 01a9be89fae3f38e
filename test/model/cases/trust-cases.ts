import { type Case, small } from './case.ts';

const one = ['new'] as const;
const two = ['new', 'new'] as const;

/** Cases of the rules about whose word counts: the CA's, a status's, an account's. */
export const trustCases: readonly Case[] = [
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
  {
    off: ['sealed'],
    world: small({ resources: ['ready', 'due'], events: { forge: 1 } }),
    breaks: 'foreignReissued',
    tells: [/writes 2 .* into the status of A/, /decides on A: Reissue/],
    steps: 6,
    isOnly: true,
  },
  {
    off: ['sealed'],
    world: small({ resources: one, hasStranger: true, revokes: true, events: { forge: 1 } }),
    breaks: 'foreignRevoked',
    tells: [/writes 1 .* into the status of A/, /result 2 for A/],
    steps: 9,
    isOnly: true,
  },
  {
    off: ['revokeUnclaimed', 'sealed'],
    world: small({ resources: ['ready', 'ready'], revokes: true, events: { forge: 1, changeSpec: 1 } }),
    breaks: 'foreignRevoked',
    tells: [/writes 1 .* into the status of B/, /result 2 for B/],
    steps: 4,
    isOnly: true,
  },
  {
    off: ['sealOnlyOwn'],
    world: small({
      resources: ['new', 'ready'],
      specs: [1, 0],
      events: { forge: 1, refuse: 1, changeSpec: 1 },
    }),
    breaks: 'wrongOwner',
    tells: [/1 .* into the status of A/, /CA refuses/, /A asks for something else/, /fetch 1/],
    steps: 11,
  },
];
