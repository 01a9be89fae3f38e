import { describe, expect, test } from 'vitest';
import type { CAcertJournalEntry, CAcertRequestView } from '../../../tools/dev-server/cacert/types.ts';
import type { SpecVersion } from './history.ts';
import type { MailWish } from './population.ts';
import { judgeMail, type MailEvidence } from './verdict.ts';

const MINUTE = 60_000;
const wish = { place: 'n/mail', commonName: 'Jane Doe', emails: ['a', 'b'], request: 'ab' };
const reordered = { ...wish, emails: ['b', 'a'] };
const other: MailWish = { ...wish, emails: ['a', 'c'], request: 'ac' };
const strange: MailWish = { ...wish, place: 'n/other', emails: ['c', 'a'], request: 'ac' };

/** What CAcert was asked for, and what the witness in the cluster knows. */
class Scene {
  readonly requests: CAcertRequestView[] = [];
  readonly journal: CAcertJournalEntry[] = [];
  readonly specs: SpecVersion[] = [{ at: 0, generation: 1, emails: wish.emails }];
  allowed: number[] = [];
  interruptions: number[] = [];
  owners: Record<string, string> = { k: 'u1' };

  /** A request that CAcert accepts, after so many minutes. */
  ask(
    minutes: number,
    call: Partial<CAcertJournalEntry> = {},
    { emails, commonName }: MailWish = wish,
    keyFingerprint = 'k',
  ): this {
    const seq = this.requests.length + 1;
    const at = minutes * MINUTE;
    this.requests.push({
      id: 4000 + seq,
      account: 'jane',
      cn: commonName ?? 'CAcert WoT User',
      emails: [...emails],
      codeSigning: false,
      keyFingerprint,
      requestedAt: at,
      status: 'signed',
      origin: seq,
    });
    this.journal.push({
      seq,
      at,
      endedAt: at + 1_000,
      method: 'POST',
      call: 'ccsr',
      params: {},
      account: 'jane',
      client: 0,
      body: '',
      host: '',
      inUrl: [],
      ...call,
    });
    return this;
  }

  /** CAcert came to the last request only now. */
  queued(minutes: number): this {
    const last = this.requests.at(-1);
    if (last) last.requestedAt = minutes * MINUTE;
    return this;
  }

  respec(minutes: number, { emails }: MailWish = reordered): this {
    this.specs.push({ at: minutes * MINUTE, generation: this.specs.length + 1, emails });
    return this;
  }

  verdict(): ReturnType<typeof judgeMail> {
    const wishes = [wish, reordered, other, strange];
    const evidence: MailEvidence = {
      certificates: [],
      requests: this.requests,
      journal: this.journal,
      root: '',
      history: {
        secrets: [],
        lostKeys: [],
        allowedAt: () => this.allowed,
        ownerOf: (key) => this.owners[key],
        placeOf: (uid) => (uid === 'u1' ? 'n/mail' : undefined),
        specsOf: () => this.specs,
      },
      wishOf: (emails) => wishes.find((each) => each.emails.join() === emails.join()),
      interruptions: this.interruptions,
    };
    return judgeMail(evidence);
  }
}

const lost = { fault: 'reset-after' } as const;

describe('a second request for the same', () => {
  test.each<[string, Scene, number]>([
    ['after a lost answer and fifteen minutes is due', new Scene().ask(0, lost).ask(15), 0],
    ['after a lost answer comes too soon before that', new Scene().ask(0, lost).ask(14), 1],
    ['may come at once after a change of spec', new Scene().ask(0, lost).respec(5).ask(6), 0],
    [
      'may come at once after a change of spec, although CAcert queued the first only later',
      new Scene().ask(0, { fault: 'late', late: true }).queued(2).respec(1).ask(6),
      0,
    ],
    [
      'comes too soon, although CAcert queued the first before it began to count',
      new Scene().ask(0, lost).respec(-1).ask(14),
      1,
    ],
    ['is for the same in whatever order', new Scene().ask(0, lost).ask(14, {}, reordered), 1],
    ['after an answer that arrived is a finding', new Scene().ask(0).ask(15), 1],
    ['after one that nobody waited for is due', new Scene().ask(0, { aborted: true }).ask(15), 0],
    [
      'after one with an unfit certificate is a finding',
      new Scene().ask(0, { fault: 'wrong-names' }).ask(30),
      1,
    ],
    [
      'after one with an unfit certificate is due if something else was wanted meanwhile',
      new Scene().ask(0, { fault: 'wrong-names' }).respec(5, other).respec(6, wish).ask(30),
      0,
    ],
    [
      'after one with an unfit certificate is a finding if the same was wanted in another order',
      new Scene().ask(0, { fault: 'wrong-names' }).respec(5).ask(30),
      1,
    ],
  ])('%s', (_, scene, findings) => {
    expect(scene.verdict().doubled).toHaveLength(findings);
  });

  test.each([
    ['while it was under way is due', 500, 0],
    ['long after the answer is a finding', 60_000, 1],
  ])('after an interruption %s', (_, at, findings) => {
    const scene = new Scene().ask(0).ask(15);
    scene.interruptions = [at];

    expect(scene.verdict().doubled).toHaveLength(findings);
  });

  test('of another resource is no second one', () => {
    const scene = new Scene().ask(0, lost).ask(1, {}, wish, 'k2');
    scene.owners = { k: 'u1', k2: 'u2' };

    expect(scene.verdict().doubled).toEqual([]);
  });
});

test.each<[string, Record<string, string>, MailWish, string[]]>([
  ['is one of its own', { k: 'u1' }, wish, []],
  ['that no resource has is a finding', {}, wish, ['request 4001 of n/mail is for a key of nobody']],
  [
    'of another resource is a finding',
    { k: 'u1' },
    strange,
    ['request 4001 of n/other is for a key of n/mail'],
  ],
])('a request for a key %s', (_, owners, wished, findings) => {
  const scene = new Scene().ask(0, {}, wished);
  scene.owners = owners;

  expect(scene.verdict().wrongOwner).toEqual(findings);
});

test('a request that nobody wished for is a finding', () => {
  const scene = new Scene().ask(0, {}, { ...wish, commonName: undefined });

  expect(scene.verdict().wrongOwner).toEqual([expect.stringContaining('nobody wished for')]);
});

test.each([
  [6, 0],
  [7, 1],
])('%i requests of one resource within a day make %i findings', (count, findings) => {
  const scene = new Scene();
  for (let i = 0; i < count; i += 1) scene.ask(20 * i, lost);

  expect(scene.verdict().doubled).toHaveLength(findings);
});

test.each<[string, Partial<CAcertJournalEntry>, number[], number]>([
  ['begun while another of the account is under way is a finding', {}, [], 1],
  ['begun while one that the client has left is under way is none', { aborted: true }, [], 0],
  ['begun after the process with the other was frozen is none', {}, [30_000], 0],
  ['of another account is none', { account: 'john' }, [], 0],
])('a call %s', (_, first, interruptions, findings) => {
  const scene = new Scene().ask(0, { endedAt: 2 * MINUTE, ...first }).ask(1, {}, other, 'k2');
  scene.owners = { k: 'u1', k2: 'u1' };
  scene.interruptions = interruptions;

  expect(scene.verdict().doubled).toHaveLength(findings);
});
