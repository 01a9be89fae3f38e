/** What the witnesses tell apart although the CAs number alike. */
import { expect, test } from 'vitest';
import { keyOf } from './identity.ts';
import { nameDigest } from './journal.ts';
import { ref, Scene } from './verdict-scene.ts';

const quiet = { lost: [], doubled: [], foreignTouched: [], decidable: [] };

test('a resource that got another account has a certificate at each, and both are its own', () => {
  const scene = new Scene();
  const [web, away] = [scene.wish('web'), scene.wish('web', 'web', { issuer: 'far' })];
  scene.claim(web, scene.buy(web));
  scene.claim(away, scene.buy(away)).leaves(away, { ...ref(5001), formerCertificates: [] });

  expect(scene.verdict()).toMatchObject({ ...quiet, certificates: 2, orphansWitnessed: [] });
});

test.each([
  ['of the same account is claimed', 'plain', []],
  ['of another account leaves it lost', 'far', ['near 5001']],
] as const)('a claim to the id of a certificate %s', (_, issuer, lost) => {
  const scene = new Scene();
  scene.buy(scene.wish('web'));
  scene.claim(scene.wish('other', 'other', { issuer }), 5001);

  expect(scene.verdict().lost).toEqual(lost.map((name) => expect.stringContaining(name) as string));
});

test('what was left at an account that a resource no longer uses is lost if nobody names it there', () => {
  const scene = new Scene();
  const [web, away] = [scene.wish('web'), scene.wish('web', 'web', { issuer: 'far' })];
  scene.claim(web, scene.buy(web));
  scene.claim(away, scene.buy(away));

  expect(scene.verdict().lost).toEqual([expect.stringContaining('near 5001')]);
});

test.each([
  ['in an open attempt at its own account', 'plain', 0],
  ['in one at another account is lost', 'far', 1],
] as const)('an id %s', (_, issuer, lost) => {
  const scene = new Scene();
  const [web, renewal] = [scene.wish('web'), scene.wish('web')];
  scene.claim(web, scene.buy(web));
  scene.entries.push({ id: 'a', uid: 'n/web', ...ref(scene.buy(renewal), issuer), since: '', until: '' });

  expect(scene.verdict().lost).toHaveLength(lost);
});

test.each([
  ['record', 'plain', 1],
  ['record', 'far', 0],
  ['orphan', 'plain', 1],
  ['orphan', 'far', 0],
] as const)('an %s of the issuer %s counts at its account alone', (what, named, lost) => {
  const scene = new Scene();
  const id = scene.buy(scene.wish('web', 'web', { issuer: 'far' }));
  if (what === 'record') scene.released.push({ ...ref(id, named), cause: 'Deleted' });
  else scene.issuer({ orphans: [ref(id, named)] });

  expect(scene.verdict().lost).toHaveLength(lost);
});

test('an abandoned attempt covers nothing at another account', () => {
  const scene = new Scene();
  const [since, until] = ['1970-01-01T00:16:00Z', '1970-01-01T00:17:00Z'];
  scene.abandoned.push({ ...ref(0, 'far'), nameHash: nameDigest('web'), afterId: 5000, since, until });
  scene.buy(scene.wish('web'));

  expect(scene.verdict().lost).toHaveLength(1);
});

test('a certificate bought at another authority than its wish was for is a finding', () => {
  const scene = new Scene();
  const web = scene.wish('web');
  scene.claim(web, scene.buy(web));
  scene.buy(scene.wish('away', 'away', { issuer: 'far' }), { ca: 'near', account: ref(0).account, id: 5002 });

  expect(scene.verdict().doubled).toEqual([expect.stringContaining('near 5002')]);
});

test('the same request at another account is no rival, so an orphan of it is a finding', () => {
  const scene = new Scene().issuer({ orphans: [ref(5001)] });
  scene.buy(scene.wish('one', 'same'));
  scene.wish('two', 'same', { issuer: 'far' });

  expect(scene.verdict().decidable).toHaveLength(1);
});

test('an attempt that had to be doubted excuses nothing at another account', () => {
  const scene = new Scene();
  const [web, away] = [scene.wish('web'), scene.wish('web', 'web', { issuer: 'far' })];
  scene.attempt(away, 1_000_000, 1_052_000, { isDoubted: true });
  scene.buy(web);
  scene.claim(web, scene.buy(web));

  expect(scene.verdict().doubled).toHaveLength(1);
});

test('a reissue is told by its own account', () => {
  const scene = new Scene();
  const [web, away] = [scene.wish('web'), scene.wish('web', 'web', { issuer: 'far' })];
  scene.claim(web, scene.buy(web));
  scene.claim(away, scene.buy(away)).leaves(away, { ...ref(5001), formerCertificates: [] });
  scene.claim(away, scene.buy(away, { previousId: 5001 })).reissues(web, 5001);
  scene.leaves(away, { ...ref(5001), formerCertificates: [ref(5001, 'far')] });

  expect(scene.verdict().foreignTouched).toEqual(['cert/reissue of far 5001, which n/web never wanted']);
});

test('what a deleted resource had is told by its account', () => {
  const scene = new Scene();
  scene.buy(scene.wish('web'));
  scene.ends.push({ place: 'n/web', at: 10_000, claimed: [keyOf(ref(5001, 'far'))], interrupted: [] });
  scene.reigns = [];

  expect(scene.verdict().lost).toHaveLength(1);
});
