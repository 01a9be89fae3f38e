import { type Case, small } from './case.ts';
import { entryCases } from './entry-cases.ts';
import { recordCases } from './record-cases.ts';
import { recoveryCases } from './recovery-cases.ts';
import { termCases } from './term-cases.ts';
import { trustCases } from './trust-cases.ts';

/** Without a rule something breaks. */
export const cases: readonly Case[] = [
  ...termCases,
  ...entryCases,
  ...recoveryCases,
  ...recordCases,
  ...trustCases,
];

/** Rules without which nothing breaks within the bounds: they save a certificate, or another rule holds as well. */
export const savers: readonly Pick<Case, 'off' | 'world'>[] = [
  {
    off: ['liveGet'],
    world: small({ resources: ['new'], processes: 2, events: { depose: 2, loseReply: 1, slow: 1 } }),
  },
  {
    off: ['freshAfterId'],
    world: small({
      resources: ['new'],
      events: { loseRequest: 1, loseReply: 1, slow: 1, beyond: 1 },
    }),
  },
];
