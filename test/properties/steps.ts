import * as fc from 'fast-check';
import { secrets } from '../../src/kube/objects.ts';
import type { Fate } from './ca.ts';
import { type IssuerName, keyOfSlot, type Slot, SLOTS, type World } from './world.ts';

/** What happens to the answer of a call, by the name that steps have for it. */
export const FATES: Readonly<Record<string, Fate>> = {
  'cut-undone': { acts: 'never', answer: { is: 'cut' } },
  'cut-done': { acts: 'in time', answer: { is: 'cut' } },
  'silent-undone': { acts: 'never', answer: { is: 'silence' } },
  'silent-done': { acts: 'in time', answer: { is: 'silence' } },
  'silent-late': { acts: 'late', answer: { is: 'silence' } },
  'error-undone': { acts: 'never', answer: { is: 'refusal', code: 'UnknownError', status: 500 } },
  'error-done': { acts: 'in time', answer: { is: 'refusal', code: 'UnknownError', status: 500 } },
  'half-done': { acts: 'in time', answer: { is: 'half' } },
  'replay-done': { acts: 'in time', answer: { is: 'replay' } },
  'replay-undone': { acts: 'never', answer: { is: 'replay' } },
  limited: {
    acts: 'never',
    answer: { is: 'refusal', code: 'RateLimitExceeded', status: 429, retryAfter: 20 },
  },
  'not-found': { acts: 'never', answer: { is: 'refusal', code: 'NotFound', status: 404 } },
};

const CALLS = ['cert/new', 'cert/get', 'cert/details', 'cert/list', 'cert/status', 'ca/list', 'connect', '*'];
const REAL = ['x', 'y', 'z'];

const slot = fc.constantFrom(...SLOTS.map(keyOfSlot));
const issuer = fc.constantFrom('x', 'y', 'x', 'y', 'z', 'none');
const real = fc.constantFrom(...REAL);
const ca = fc.constantFrom('A', 'A', 'B');
const variant = fc.constantFrom('0', '0', '1');

function words(...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.tuple(...parts).map((all) => all.join(' '));
}

/** A step in words, as a failing sequence prints it. */
const step: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: words(fc.constant('create'), slot, variant, issuer) },
  { weight: 2, arbitrary: words(fc.constant('rename'), slot, variant) },
  { weight: 3, arbitrary: words(fc.constant('switch'), slot, issuer) },
  { weight: 3, arbitrary: words(fc.constant('delete'), slot) },
  { weight: 2, arbitrary: words(fc.constantFrom('remove-issuer', 'create-issuer'), real) },
  { weight: 2, arbitrary: words(fc.constantFrom('rotate', 'rotate-at-ca', 'end-sessions'), ca) },
  { weight: 2, arbitrary: words(fc.constantFrom('wrong-login', 'right-login'), real) },
  {
    weight: 9,
    arbitrary: words(
      fc.constant('fault'),
      ca,
      fc.constantFrom('cert/new', 'cert/new', 'cert/new', 'cert/get', ...CALLS),
      fc.constantFrom(...Object.keys(FATES)),
      fc.constantFrom('1', '1', '2', '5'),
    ),
  },
  {
    weight: 2,
    arbitrary: words(fc.constantFrom('remove-secret', 'spoil-secret', 'foreign-secret', 'free-secret'), slot),
  },
  { weight: 2, arbitrary: words(fc.constant('replay'), slot, fc.constantFrom('1', '1', '2', '5')) },
  { weight: 1, arbitrary: words(fc.constant('silence'), fc.constantFrom('5', '25', '120')) },
  {
    weight: 8,
    arbitrary: words(fc.constant('wait'), fc.constantFrom('0.1', '0.3', '1', '3', '10', '50', '400', '1000')),
  },
);

/** Some steps after which the CA is well, and the seed of everything else that is random. */
export const sequences = fc.record({
  seed: fc.nat(2 ** 31),
  steps: fc.array(step, { minLength: 6, maxLength: 24, size: 'max' }),
});

type Do = (world: World, words: readonly string[]) => void | Promise<void>;

const actions: Readonly<Record<string, Do>> = {
  create: (world, [where, name, by]) =>
    world.createCertificate(slotOf(where), Number(name), by as IssuerName),
  rename: (world, [where, name]) => world.changeCertificate(slotOf(where), { variant: Number(name) }),
  switch: (world, [where, to]) => world.changeCertificate(slotOf(where), { issuer: to as IssuerName }),
  delete: (world, [where]) => world.deleteCertificate(slotOf(where)),
  'remove-issuer': (world, [name]) => world.deleteIssuer(name as IssuerName),
  'create-issuer': (world, [name]) => world.createIssuer(name as IssuerName),
  rotate: (world, [name]) => {
    caNamed(world, name).rotateApiKey();
    for (const each of REAL as IssuerName[]) if (world.caOf(each).name === name) world.writeCredentials(each);
  },
  // Its sessions end too. If one lasts, calls with the old key are refused with SignatureFailure, which stops the account and not
  // only the issuers with this key (`stopsOf`): another issuer of the account, whose credentials are right, then goes back and
  // forth between ready and not ready, with calls and writes every 20 s, for as long as the first one has the old key.
  'rotate-at-ca': (world, [name]) => {
    caNamed(world, name).rotateApiKey();
    caNamed(world, name).endSessions();
  },
  'end-sessions': (world, [name]) => caNamed(world, name).endSessions(),
  'wrong-login': (world, [name]) => world.writeCredentials(name as IssuerName, 'another key'),
  'right-login': (world, [name]) => world.writeCredentials(name as IssuerName),
  fault: (world, [name, call = '*', fate = '', times]) => {
    const meets = FATES[fate];
    if (!meets) throw new Error(`No fate is called ${fate}`);
    caNamed(world, name).addFault({ call, times: Number(times), fate: meets });
  },
  replay: (world, [where, back]) => world.replayStatus(slotOf(where), Number(back)),
  'remove-secret': ({ cluster }, [where]) => {
    if (cluster.get(secrets, secretOf(where))) cluster.delete(secrets, secretOf(where));
  },
  'spoil-secret': ({ cluster }, [where]) => {
    if (cluster.get(secrets, secretOf(where)))
      cluster.patch(secrets, secretOf(where), { data: { 'tls.crt': 'c3BvaWxlZA==' } });
  },
  'foreign-secret': ({ cluster }, [where]) => {
    if (cluster.get(secrets, secretOf(where))) cluster.delete(secrets, secretOf(where));
    cluster.create(secrets, { metadata: secretOf(where), data: { theirs: 'eA==' } });
  },
  'free-secret': ({ cluster }, [where]) => {
    const found = cluster.get(secrets, secretOf(where));
    if (found?.data?.['theirs'] !== undefined) cluster.delete(secrets, secretOf(where));
  },
  silence: ({ cluster }, [seconds]) => cluster.silence(Number(seconds) * 1_000),
  wait: ({ clock }, [seconds]) => clock.advance(Number(seconds) * 1_000),
};

/** Takes a step. */
export async function take(world: World, text: string): Promise<void> {
  const [verb = '', ...rest] = text.split(' ');
  const action = actions[verb];
  if (!action) throw new Error(`No step is called ${verb}`);
  await action(world, rest);
  world.noteStatuses();
}

function slotOf(text = ''): Slot {
  const [namespace = '', name = ''] = text.split('/');
  return { namespace, name };
}

function secretOf(text: string | undefined): Slot {
  const { namespace, name } = slotOf(text);
  return { namespace, name: `${name}-tls` };
}

function caNamed({ cas }: World, name: string | undefined) {
  const found = cas.find((each) => each.name === name);
  if (!found) throw new Error(`No CA is called ${name}`);
  return found;
}
