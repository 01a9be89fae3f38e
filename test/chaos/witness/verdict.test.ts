import { describe, expect, test } from 'vitest';
import { keyOf } from './identity.ts';
import { nameDigest } from './journal.ts';
import type { Reign } from '../operator.ts';
import { ref, Scene } from './verdict-scene.ts';

const nothing = { lost: [], doubled: [], wrongOwner: [], foreignTouched: [], decidable: [] };

test('a certificate that its resource has, and its reissue, are no finding', () => {
  const scene = new Scene();
  const web = scene.wish('web');
  const first = scene.buy(web);
  scene.claim(web, first);
  const second = scene.buy(web, { previousId: first });
  scene.claim(web, second, first);

  expect(scene.verdict()).toMatchObject({ ...nothing, certificates: 2, orphansWitnessed: [] });
});

test('a certificate that no resource claims and no issuer reports is lost', () => {
  const scene = new Scene();
  const id = scene.buy(scene.wish('web'));

  expect(scene.verdict()).toMatchObject({ lost: [expect.stringContaining(`${id} (new, for n/web`)] });
});

test('a certificate that an issuer reports as an orphan is not lost', () => {
  const scene = new Scene().issuer({ orphans: [ref(5001)] });
  scene.buy(scene.wish('web'));

  expect(scene.verdict()).toMatchObject({
    lost: [],
    orphansReported: ['near 5001'],
    orphansWitnessed: ['near 5001'],
  });
});

test.each([
  ['given up is not lost', 'Deleted', []],
  ['undecided is not lost, but must be reported as an orphan', 'Undecided', ['near 5001']],
])('a certificate that the journal has on record as %s', (_, cause, witnessed) => {
  const scene = new Scene();
  scene.released.push({ ...ref(scene.buy(scene.wish('web'))), cause });

  expect(scene.verdict()).toMatchObject({ lost: [], orphansReported: [], orphansWitnessed: witnessed });
});

test.each([
  ['a resource that exists is claimed', 'n/web', 0],
  ['one that is gone is not', 'gone', 1],
])('a certificate in an open attempt of %s', (_, uid, lost) => {
  const scene = new Scene();
  const [web, renewal] = [scene.wish('web'), scene.wish('web')];
  scene.claim(web, scene.buy(web));
  scene.entries.push({ id: 'a', uid, ...ref(scene.buy(renewal)), since: '', until: '' });

  expect(scene.verdict().lost).toHaveLength(lost);
});

test('an orphan that only one resource can have requested is a finding, one with rivals is not', () => {
  const scene = new Scene().issuer({ orphans: [ref(5001), ref(5002)] });
  scene.buy(scene.wish('alone'));
  scene.buy(scene.wish('one', 'same'));
  scene.wish('two', 'same');

  expect(scene.verdict().decidable).toEqual([expect.stringContaining('5001')]);
});

test.each([
  ['before its attempt was concluded is no finding', 'plain', 'Undecided', true, 0],
  ['without a record is one', 'plain', undefined, true, 1],
  ['after its attempt was concluded is one', 'plain', 'Undecided', false, 1],
  ['under the mark is one', 'marked', 'Undecided', true, 1],
] as const)('an orphan of a resource that wished something else %s', (_, issuer, cause, isOpen, findings) => {
  const scene = new Scene().issuer({ orphans: [ref(5001)] });
  const web = scene.wish('web', 'web', { issuer });
  const later = scene.wish('web', 'later', { issuer });
  scene.attempt(web, 1_000_000, 1_052_000, isOpen ? { later } : {});
  scene.buy(web);
  if (cause) scene.released.push({ ...ref(5001, issuer), cause });

  expect(scene.verdict().decidable).toHaveLength(findings);
});

test('an orphan of a resource that was deleted while its attempt was under way is no finding', () => {
  const scene = new Scene().issuer({ orphans: [ref(5001)] });
  const web = scene.wish('web');
  scene.buy(web);
  scene.ends.push({ place: 'n/web', at: 10_000, claimed: [], interrupted: [web.names.join(',')] });

  expect(scene.verdict()).toMatchObject({ decidable: [], orphansWitnessed: ['near 5001'] });
});

test('a certificate of an interrupted attempt is another’s for a resource that was created again', () => {
  const scene = new Scene().issuer({ orphans: [ref(5001), ref(5002)] });
  const before = scene.wish('web');
  scene.buy(before);
  scene.ends.push({ place: 'n/web', at: 10_000, claimed: [], interrupted: [before.names.join(',')] });
  const now = scene.wish('web');
  scene.buy(now);
  scene.claim(now, scene.buy(now));

  expect(scene.verdict()).toMatchObject({
    doubled: [],
    decidable: [],
    orphansWitnessed: ['near 5001', 'near 5002'],
  });
});

describe('the certificate of a deleted resource', () => {
  const at = 10_000;

  test.each<[string, Reign[], number]>([
    [
      'is lost if an operator saw the deletion',
      [{ namespaces: ['n'], startedAt: 0, from: 0, to: 20_000 }],
      1,
    ],
    [
      'is lost if an operator that led later saw the deletion',
      [{ namespaces: ['n'], startedAt: 0, from: 15_000, to: 20_000 }],
      1,
    ],
    ['is no finding without an operator', [], 0],
    [
      'is no finding if the operator died at once',
      [{ namespaces: ['n'], startedAt: 0, from: 0, to: 11_000 }],
      0,
    ],
    [
      'is no finding if the operator came later',
      [{ namespaces: ['n'], startedAt: 11_000, from: 11_000, to: 50_000 }],
      0,
    ],
    [
      'is no finding for an operator of other resources',
      [{ namespaces: ['other'], startedAt: 0, from: 0, to: 50_000 }],
      0,
    ],
  ])('%s', (_, reigns, lost) => {
    const scene = new Scene();
    const id = scene.buy(scene.wish('gone'));
    scene.ends.push({ place: 'n/gone', at, claimed: [keyOf(ref(id))], interrupted: [] });
    scene.reigns = reigns;

    expect(scene.verdict().lost).toHaveLength(lost);
  });

  test('is lost even without an operator if its attempt was in the journal, which remembers it', () => {
    const scene = new Scene();
    const web = scene.wish('gone');
    scene.buy(web);
    scene.ends.push({ place: 'n/gone', at, claimed: [], interrupted: [web.names.join(',')] });
    scene.reigns = [];

    expect(scene.verdict().lost).toHaveLength(1);
  });

  test('is another’s for the next resource that requests the same', () => {
    const scene = new Scene().issuer({ orphans: [ref(5002)] });
    const before = scene.buy(scene.wish('web'));
    scene.ends.push({ place: 'n/web', at, claimed: [keyOf(ref(before))], interrupted: [] });
    scene.reigns = [];
    scene.buy(scene.wish('web'));

    expect(scene.verdict()).toMatchObject({ decidable: [], lost: [] });
  });
});

test('the marker of an installation leaves no excuse', () => {
  const scene = new Scene().issuer({ orphans: [ref(5001)] });
  scene.buy(scene.wish('one', 'same', { issuer: 'marked' }));
  scene.wish('two', 'same', { issuer: 'marked' });

  expect(scene.verdict().decidable).toHaveLength(1);
});

test('a second certificate for one wish is doubled, whether the resource learned of the first or not', () => {
  const scene = new Scene().issuer({ orphans: [ref(5003)] });
  const [a, b] = [scene.wish('a'), scene.wish('b')];
  scene.claim(a, scene.buy(a));
  scene.claim(a, scene.buy(a));
  scene.buy(b);
  scene.claim(b, scene.buy(b));

  expect(scene.verdict().doubled).toEqual([
    'n/a bought near 5001, near 5002 for one wish',
    'n/b bought near 5003 (never in status), near 5004 for one wish',
  ]);
});

test('a second one is no finding if the first came too late, had rivals, or was tampered with', () => {
  const scene = new Scene();
  const [late, rival, forged] = [scene.wish('late'), scene.wish('rival', 'same'), scene.wish('forged')];
  scene.wish('other', 'same');
  scene.buy(late, {}, { late: true, at: 0, endedAt: 60_000 });
  scene.claim(late, scene.buy(late));
  scene.buy(rival);
  scene.claim(rival, scene.buy(rival));
  scene.claim(forged, scene.buy(forged));
  scene.claim(forged, scene.buy(forged));
  scene.allowances.set(forged, 1);
  scene.forgotten.add(forged);

  expect(scene.verdict().doubled).toEqual([]);
});

test.each([
  [
    'in the time of an attempt in a journal that had to be doubted is no finding',
    1_000_000,
    true,
    'plain',
    0,
  ],
  ['in the time of any other attempt is one', 1_000_000, false, 'plain', 1],
  ['before that attempt is one', 1_002_000, true, 'plain', 1],
  ['under the mark is one', 1_000_000, true, 'marked', 1],
] as const)('a second one for a purchase %s', (_, since, isDoubted, issuer, findings) => {
  const scene = new Scene();
  const web = scene.wish('web', 'web', { issuer });
  scene.attempt(web, since, since + 52_000, { isDoubted });
  scene.buy(web);
  scene.claim(web, scene.buy(web));

  expect(scene.verdict().doubled).toHaveLength(findings);
});

test('a person’s equal certificate is a rival only at the same authority', () => {
  const scene = new Scene();
  for (const [name, issuer] of [
    ['here', 'plain'],
    ['there', 'elsewhere'],
    ['far', 'far'],
  ] as const) {
    const web = scene.wish(name);
    scene.buy(web);
    scene.claim(web, scene.buy(web));
    scene.buy(scene.wish('', name, { party: 'person', namespace: '', issuer }), { origin: 'manual' });
  }

  expect(scene.verdict().doubled).toEqual([
    expect.stringContaining('n/there'),
    expect.stringContaining('n/far'),
  ]);
});

test('a reissue of a reissue that no resource learned of is doubled', () => {
  const scene = new Scene();
  const web = scene.wish('web');
  const first = scene.buy(web);
  const second = scene.buy(web, { previousId: first });
  scene
    .claim(web, first)
    .claim(web, scene.buy(web, { previousId: second }), second)
    .claim(web, 5003, first);

  expect(scene.verdict().doubled).toEqual([expect.stringContaining('reissued as near 5003')]);
});

test('a new key at each renewal is not doubled, an unused purchase is, unless its resource was deleted first', () => {
  const scene = new Scene();
  const web = scene.wish('rekeyed');
  for (let i = 0; i < 3; i += 1) scene.claim(web, scene.buy(web));
  expect(scene.verdict().doubled).toEqual([]);

  scene.buy(web);
  expect(scene.verdict().doubled).toHaveLength(1);
  scene.ends.push({ place: 'n/web', at: 10_000, claimed: [], interrupted: [web.names.join(',')] });
  expect(scene.verdict().doubled).toEqual([]);
});

test('a renewal with a new key that is recovered after a change of spec is released, and not doubled', () => {
  const scene = new Scene();
  const web = scene.wish('rekeyed');
  scene.claim(web, scene.buy(web));
  const renewal = scene.buy(web);
  const other = scene.wish('rekeyed', 'other');
  scene.claim(other, scene.buy(other), undefined, [renewal]);

  expect(scene.verdict().doubled).toEqual([]);
});

test('a certificate with names that nobody requested is doubled', () => {
  const scene = new Scene();
  scene.buy({ ...scene.wish('web'), names: ['x', 'y'] });

  expect(scene.verdict().doubled).toEqual([expect.stringContaining('of this authority by nobody')]);
});

test('a certificate that an abandoned attempt may have bought is not lost, but must be reported as an orphan', () => {
  const scene = new Scene();
  scene.abandoned.push({
    ...ref(0),
    nameHash: nameDigest('web'),
    afterId: 5000,
    since: '1970-01-01T00:16:00Z',
    until: '1970-01-01T00:17:00Z',
  });
  scene.buy(scene.wish('web'));

  expect(scene.verdict()).toMatchObject({ lost: [], orphansReported: [], orphansWitnessed: ['near 5001'] });
});

test('an orphan that has expired since the report is no finding', () => {
  const scene = new Scene().issuer({ orphans: [ref(5001)] });
  scene.buy(scene.wish('web'), { status: 'expired' });

  expect(scene.verdict()).toMatchObject({ orphansReported: [], orphansWitnessed: [] });
});
