import type { RuleName } from './rules.ts';
import type { Scenario } from './scenarios.ts';

/** What breaks without a rule, in a world as small as will do. */
export interface Case {
  /** The rule that the case is for, and the rules that would each catch the same by themselves. */
  off: readonly [RuleName, ...RuleName[]];
  world: Scenario;
  breaks: string;
  /** What the shortest trace tells, in this order. */
  tells: readonly RegExp[];
  /** How many steps it has. */
  steps?: number;
  /** Looks for `breaks` alone: something else breaks sooner. */
  isOnly?: true;
}

type World = Pick<Scenario, 'resources' | 'events'> & Partial<Scenario>;

function small(world: World): Scenario {
  return { about: 'as small as will do', processes: 1, most: 9, ...world };
}

const one = ['new'] as const;
const due = ['due'] as const;
const two = ['new', 'new'] as const;
const ready = ['ready', 'ready'] as const;

const crash = small({ resources: one, events: { crash: 1 } });
const deposed = small({ resources: one, processes: 2, events: { depose: 1 } });
const neighbour = small({ resources: ['new', 'ready'], processes: 2, events: { depose: 1 } });
const stranger = small({ resources: one, events: { stranger: 1, loseRequest: 1 } });
const rivals = small({ resources: two, events: { loseRequest: 1, loseReply: 1, changeSpec: 1, delete: 1 } });
const forger = small({ resources: ready, revokes: true, events: { forge: 1, delete: 1 } });
const inventory = small({ resources: one, marker: true, events: { inventory: 1 } });
const beyond = { slow: 1, beyond: 1 } as const;

/** Without a rule something breaks. */
export const cases: readonly Case[] = [
  {
    off: ['attemptBeforeCall'],
    world: crash,
    breaks: 'doubled',
    tells: [/issues 1/, /dies/, /issues 2/],
    steps: 9,
  },
  {
    off: ['attemptEcho'],
    world: { ...crash, oldCrds: true },
    breaks: 'doubled',
    tells: [/writes the attempt/, /dies/, /writes the attempt/, /issues 2/],
  },
  {
    off: ['attemptVersion'],
    world: deposed,
    breaks: 'rekeyed',
    tells: [/freezes/, /Q writes the result 1/, /P writes the attempt/, /issues 2/],
  },
  {
    off: ['sendGate'],
    world: deposed,
    breaks: 'doubled',
    tells: [/P writes the attempt/, /freezes/, /time passes/, /P sends/, /candidates \[\]/, /Q sends/],
    steps: 17,
  },
  {
    off: ['unsentKeepsOperation'],
    world: small({ resources: due, events: {} }),
    breaks: 'rekeyed',
    tells: [/attempt Reissue/, /held back by the send gate/, /attempt New/],
  },
  {
    off: ['notLatestRecovers'],
    world: small({ resources: due, events: { reissueByHand: 1 } }),
    breaks: 'rekeyed',
    tells: [/person reissues 1: 2/, /NotLatest/, /attempt New/],
  },
  {
    off: ['failedCheckKeepsId'],
    world: small({ resources: one, events: { failCheck: 1 } }),
    breaks: 'doubled',
    tells: [/fails the checks/, /issues 2/],
  },
  {
    off: ['secretVersion', 'secretNeverFalls'],
    world: neighbour,
    breaks: 'secretFell',
    tells: [/Q writes 3/, /P writes 2/],
  },
  {
    off: ['secretNeverFalls', 'secretVersion'],
    world: neighbour,
    breaks: 'secretFell',
    tells: [/Q writes 3/, /P writes 2/],
  },
  {
    off: ['secretIntoStatus', 'resultNeverFalls'],
    world: { ...neighbour, events: { depose: 2 } },
    breaks: 'stuck',
    tells: [/Q writes 3 to the Secret/, /Q writes the result 3/, /P writes the result 2/],
  },
  {
    off: ['resultNeverFalls', 'secretIntoStatus'],
    world: { ...neighbour, events: { depose: 2 } },
    breaks: 'stuck',
    tells: [/Q writes 3 to the Secret/, /Q writes the result 3/, /P writes the result 2/],
  },
  {
    off: ['ownSecretFits'],
    world: small({ resources: due, processes: 2, events: { ...beyond, depose: 1, changeSpec: 1 } }),
    breaks: 'lost',
    tells: [
      /spec of A/,
      /Q, for A, hears of certificate 2/,
      /P writes 3 to the Secret/,
      /Q writes the result 3/,
    ],
  },
  {
    off: ['resultByAttempt'],
    world: neighbour,
    breaks: 'rekeyed',
    tells: [/Q writes the attempt/, /P writes the result 2/, /Q sends/],
  },
  {
    off: ['waitBeforeRecovery'],
    world: crash,
    breaks: 'doubled',
    tells: [/sends New/, /dies/, /candidates \[\]/, /issues 1/, /issues 2/],
  },
  {
    off: ['previousBeforeList'],
    world: small({ resources: due, events: { loseRequest: 1, reissueByHand: 1 } }),
    breaks: 'rekeyed',
    tells: [/candidates \[\]/, /person reissues 1: 2/, /previous certificate is obsolete/, /attempt New/],
  },
  {
    off: ['listBeforeCluster', 'windowEnd'],
    world: small({
      resources: ['new', 'later'],
      processes: 2,
      events: { loseRequest: 1, recreate: 1, depose: 1 },
    }),
    breaks: 'wrongOwner',
    tells: [/recovering A, lists the cluster/, /B is created/, /issues 1/, /candidates \[1\]/],
    steps: 19,
  },
  {
    off: ['ownSecretFirst'],
    world: small({ resources: ['new', 'ready'], events: { crash: 1 } }),
    breaks: 'doubled',
    tells: [/writes 2 to the Secret/, /dies/, /adopts none/, /issues 3/],
  },
  {
    off: ['reissueByKey'],
    world: { ...stranger, resources: due },
    breaks: 'foreignAdopted',
    tells: [/installation buys 2/, /adopts 2/],
  },
  {
    off: ['aboveAfterId', 'windowStart'],
    world: small({ resources: one, hasStranger: true, events: { loseRequest: 1 } }),
    breaks: 'foreignAdopted',
    tells: [/above 1/, /adopts 1/],
  },
  {
    off: ['windowStart'],
    world: stranger,
    breaks: 'foreignAdopted',
    tells: [/installation buys 1/, /writes the attempt/, /adopts 1/],
  },
  {
    off: ['windowEnd'],
    world: stranger,
    breaks: 'foreignAdopted',
    tells: [/time passes/, /time passes/, /time passes/, /installation buys 1/, /adopts 1/],
    steps: 14,
  },
  {
    off: ['oneCandidate'],
    world: small({ resources: one, peopleAtAnyTime: true, events: { stranger: 1, loseReply: 1 } }),
    breaks: 'foreignAdopted',
    tells: [/candidates \[1 2\]/, /adopts 1/],
  },
  {
    off: ['skipClaimed'],
    world: small({ resources: two, events: { loseRequest: 1, changeSpec: 1 } }),
    breaks: 'wrongOwner',
    tells: [/result 1 for B/, /spec of B/, /adopts 1/],
  },
  {
    off: ['skipReissued'],
    world: small({
      resources: ['new', 'ready'],
      events: { loseRequest: 1, reissueByHand: 1, changeSpec: 1 },
    }),
    breaks: 'wrongOwner',
    tells: [/request is lost/, /person reissues 1: 2/, /spec of B/, /adopts 2/],
  },
  {
    off: ['sole'],
    world: rivals,
    breaks: 'wrongOwner',
    tells: [/attempt New above 0 for A/, /sends New for B/, /adopts 1/],
    steps: 18,
  },
  {
    off: ['soleCountsAttempts'],
    world: rivals,
    breaks: 'wrongOwner',
    tells: [/sends New for B/, /nobody hears/, /spec of B/, /adopts 1/],
    steps: 19,
  },
  {
    off: ['foreignSeen'],
    world: { ...stranger, hasStranger: true, peopleAtAnyTime: true },
    breaks: 'foreignAdopted',
    tells: [/installation buys 2/, /adopts 2/],
  },
  {
    off: ['concludeFirst'],
    world: small({ resources: one, events: { loseReply: 1, changeSpec: 1 } }),
    breaks: 'lost',
    tells: [/issues 1 .* nobody hears/, /spec of A/, /result 2/],
  },
  {
    off: ['recordGivenUp'],
    world: rivals,
    breaks: 'wrongOwner',
    tells: [/sends New for B/, /nobody hears/, /B is deleted/, /adopts 1/],
    steps: 19,
    isOnly: true,
  },
  {
    off: ['recordGivenUp'],
    world: small({ resources: one, events: { delete: 1 } }),
    breaks: 'lost',
    tells: [/result 1/, /A is deleted/],
  },
  {
    off: ['recordAbandoned'],
    world: small({ resources: one, events: beyond }),
    breaks: 'lost',
    tells: [/longer than T \+ X/, /issues 1 .* nobody hears/, /result 2/],
  },
  {
    off: ['recordAbandoned'],
    world: small({ resources: two, events: { ...beyond, loseRequest: 1, delete: 1 } }),
    breaks: 'wrongOwner',
    tells: [/longer than T \+ X/, /issues 1/, /A vanish/, /recovering B, .* adopts 1/],
    steps: 28,
    isOnly: true,
  },
  {
    off: ['sealed'],
    world: forger,
    breaks: 'wrongOwner',
    tells: [/writes 2 into the status of A/, /writes 2 to the Secret of A/],
  },
  {
    off: ['sealed'],
    world: forger,
    breaks: 'foreignReissued',
    tells: [/an open attempt to reissue it/, /Reissue of 2 for A/],
    isOnly: true,
  },
  {
    off: ['sealOnlyOwn'],
    world: small({ resources: ['due', 'ready'], events: { forge: 1, dropSecret: 1, refuse: 1 } }),
    breaks: 'wrongOwner',
    tells: [/2 into the status of A/, /CA refuses/, /writes 2 to the Secret of A/],
    isOnly: true,
  },
  {
    off: ['revokeUnclaimed', 'sealed'],
    world: forger,
    breaks: 'foreignRevoked',
    tells: [/2 into the status of A/, /A is deleted/, /A vanish/],
    isOnly: true,
  },
  {
    off: ['inventoryListsFirst'],
    world: inventory,
    breaks: 'misreported',
    tells: [/takes the claims/, /result 1/, /orphans \[1\]/],
  },
  {
    off: ['inventorySkipsOpen'],
    world: inventory,
    breaks: 'misreported',
    tells: [/sends/, /orphans \[1\]/, /result 1/],
  },
];

/** Rules without which nothing breaks: they save a certificate, or work that would be in vain. */
export const savers: readonly Pick<Case, 'off' | 'world'>[] = [
  { off: ['keepAfterId'], world: small({ resources: one, events: { ...beyond, crash: 2, loseRequest: 1 } }) },
  {
    off: ['liveGet'],
    world: small({ resources: one, processes: 2, events: { depose: 2, loseReply: 1, slow: 1 } }),
  },
];

/** What breaks with all rules on: the price of a CA without request ids. */
export const limits: readonly (Omit<Case, 'off'> & { about: string })[] = [
  {
    about: 'without the marker, what a person buys while our own request is lost is taken for ours',
    world: { ...stranger, peopleAtAnyTime: true },
    breaks: 'foreignAdopted',
    tells: [/request is lost/, /installation buys 1/, /adopts 1/],
    steps: 14,
  },
  {
    about: 'a certificate that a person reissues before any status names it is bought again',
    world: small({ resources: one, peopleAtAnyTime: true, events: { reissueByHand: 1, loseReply: 1 } }),
    breaks: 'doubled',
    tells: [/issues 1 .* nobody hears/, /person reissues 1: 2/, /issues 3/],
    steps: 17,
  },
  {
    about:
      'after a restore to before an attempt the certificate is bought again, also if it was long concluded',
    world: small({ resources: one, events: { snapshot: 1, restore: 1 } }),
    breaks: 'doubled',
    tells: [/snapshot/, /result 1/, /restored/, /issues 2/],
    steps: 13,
  },
  {
    about: 'and without the marker nothing tells that the first one was ours',
    world: small({ resources: one, events: { snapshot: 1, restore: 1 } }),
    breaks: 'lost',
    tells: [/snapshot/, /writes 1 to the Secret/, /restored/, /result 2/],
    steps: 16,
    isOnly: true,
  },
];
