import { type Case, small } from './case.ts';

const one = ['new'] as const;
const two = ['new', 'new'] as const;
const inventory = small({ resources: one, marker: true, events: { inventory: 1 } });

/** Cases of the rules about what is given up, and what an inventory makes of that. */
export const recordCases: readonly Case[] = [
  {
    off: ['goneConcluded'],
    world: small({ resources: one, events: { delete: 1 } }),
    breaks: 'lost',
    tells: [/A is deleted/, /forgets the entry/],
    steps: 9,
  },
  {
    off: ['recordGivenUp'],
    world: small({ resources: ['due'], events: { loseReply: 1, changeSpec: 1 } }),
    breaks: 'lost',
    tells: [/issues 2 .* nobody hears/, /asks for something else/, /gives up \[2\]/, /result 3/],
    steps: 20,
  },
  {
    off: ['unmarkedKept'],
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
    off: ['inventoryListsFirst'],
    world: inventory,
    breaks: 'misreported',
    tells: [/inventory lists the resources/, /result 1/, /inventory lists the certificates.*orphans \[1\]/],
    steps: 9,
  },
  {
    off: ['inventorySkipsOpen'],
    world: inventory,
    breaks: 'misreported',
    tells: [/sends/, /orphans \[1\]/, /result 1/],
    steps: 9,
  },
  {
    off: ['journalBeforeClaims'],
    world: inventory,
    breaks: 'misreported',
    tells: [/inventory lists the resources/, /result 1/, /orphans \[1\]/],
    steps: 10,
  },
  {
    off: ['recordAbandoned'],
    world: small({ resources: two, events: { slow: 1, beyond: 1, loseRequest: 1, delete: 1 } }),
    breaks: 'wrongOwner',
    tells: [/longer than T \+ X/, /A is deleted/, /issues 1 .* nobody hears/, /request is lost/, /adopts 1/],
    steps: 24,
    isOnly: true,
  },
];
