import * as fc from 'fast-check';
import { CALLS, FATES } from './steps.ts';
import { keyOfSlot, REAL_ISSUERS, SLOTS } from './world.ts';

const slot = fc.constantFrom(...SLOTS.map(keyOfSlot));
const issuer = fc.constantFrom('x', 'y', 'x', 'y', 'z', 'none');
const real = fc.constantFrom(...REAL_ISSUERS);
const ca = fc.constantFrom('A', 'A', 'B');
const variant = fc.constantFrom('0', '0', '1');
const fate = fc.constantFrom(...Object.keys(FATES));
const times = fc.constantFrom('1', '1', '2', '5');
const moment = fc.constantFrom('0.1', '0.3', '1', '3');

function words(...parts: (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> {
  return fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((all) => all.join(' '));
}

/** A step in words, as a failing sequence prints it. */
const step: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: words('create', slot, variant, issuer) },
  { weight: 2, arbitrary: words('rename', slot, variant) },
  { weight: 3, arbitrary: words('switch', slot, issuer) },
  { weight: 3, arbitrary: words('delete', slot) },
  { weight: 2, arbitrary: words(fc.constantFrom('remove-issuer', 'create-issuer'), real) },
  { weight: 2, arbitrary: words(fc.constantFrom('rotate', 'rotate-at-ca', 'end-sessions'), ca) },
  { weight: 2, arbitrary: words(fc.constantFrom('wrong-login', 'right-login'), real) },
  {
    weight: 9,
    arbitrary: words(
      'fault',
      ca,
      fc.constantFrom('cert/new', 'cert/new', 'cert/new', 'cert/get', ...CALLS),
      fate,
      times,
    ),
  },
  {
    weight: 2,
    arbitrary: words(fc.constantFrom('remove-secret', 'spoil-secret', 'foreign-secret', 'free-secret'), slot),
  },
  { weight: 2, arbitrary: words('replay', slot, times) },
  { weight: 1, arbitrary: words('stop', fc.constantFrom('dead', 'dead', 'gently')) },
  { weight: 2, arbitrary: fc.constant('start') },
  { weight: 1, arbitrary: words('validity', ca, fc.constantFrom('2', '6')) },
  { weight: 1, arbitrary: words('rotation', slot, fc.constantFrom('Always', 'Never')) },
  { weight: 1, arbitrary: words('silence', fc.constantFrom('5', '25', '120')) },
  {
    weight: 8,
    arbitrary: words(
      'wait',
      fc.constantFrom('0.1', '0.3', '1', '3', '10', '50', '400', '1000', '1000', '5000'),
    ),
  },
);

/** What happens to CAcert, its account and its certificate. */
const cacertStep: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: words('cacert-create', fc.constantFrom('1', '2')) },
  { weight: 1, arbitrary: words('cacert-change', fc.constantFrom('1', '2')) },
  { weight: 1, arbitrary: words('cacert-rotation', fc.constantFrom('Always', 'Never')) },
  { weight: 1, arbitrary: fc.constant('cacert-delete') },
  { weight: 1, arbitrary: words('cacert-account', fc.constantFrom('create', 'remove')) },
  { weight: 1, arbitrary: words('cacert-login', fc.constantFrom('right', 'wrong')) },
  { weight: 1, arbitrary: words('cacert-secret', fc.constantFrom('remove', 'spoil')) },
  {
    weight: 3,
    arbitrary: words('cacert-fault', fc.constantFrom('ccsr', 'ccsr', 'cemails', '*'), fate, times),
  },
);

/** Steps that mean something only one after the other, and that chance puts in this order too seldom. */
const story: fc.Arbitrary<string[]> = fc.oneof(
  // Several certificates are to be revoked, at a deletion or when their delay is over, and one of the calls fails.
  fc.tuple(
    words('create one/b 0', issuer),
    fc.constant('wait 3'),
    fc.constant('rename one/b 1'),
    fc.constant('wait 3'),
    fc.constantFrom('rename one/b 0', 'delete one/b', 'switch one/b y', 'switch one/b x'),
    words('wait', moment),
    words(
      'fault',
      ca,
      fc.constantFrom('cert/status', 'cert/details'),
      fate,
      times,
      fc.constantFrom('0', '1', '2'),
    ),
    fc.constantFrom('delete one/b', 'wait 400'),
  ),
  // An issuer is made and goes while it is checked, which may take long, and a certificate waits for it.
  fc
    .record({
      name: real,
      where: slot,
      name0: variant,
      check: fc.constantFrom('ca/list', 'cert/list', '*'),
      how: fc.constantFrom('slow', 'slow', ...Object.keys(FATES)),
      while: fc.constantFrom('0.3', '0.7', '3', '10'),
      next: fc.constantFrom('create-issuer', 'remove-issuer'),
      after: moment,
    })
    .map(({ name, where, name0, check, how, while: during, next, after }) => [
      `remove-issuer ${name}`,
      `create ${where} ${name0} ${name}`,
      'wait 1',
      `fault ${name === 'y' ? 'B' : 'A'} ${check} ${how} 1`,
      `create-issuer ${name}`,
      `wait ${during}`,
      `remove-issuer ${name}`,
      `wait ${after}`,
      `${next} ${name}`,
    ]),
  // A CAcert certificate, which may be renewed, and something that happens to it.
  fc.tuple(
    words('cacert-validity', fc.constantFrom('24', '17520')),
    fc.oneof(words('cacert-fault', 'ccsr', fate, times), fc.constant('wait 0.1')),
    words('cacert-create', fc.constantFrom('1', '2')),
    words('wait', fc.constantFrom('0.1', '0.3', '3', '1000')),
    cacertStep,
    fc.constantFrom('stop dead', 'wait 0.3', 'wait 0.3'),
    cacertStep,
    fc.constantFrom('wait 1', 'wait 1000', 'wait 70000'),
  ),
  // The operator ends or dies, and something happens before another one starts.
  fc.tuple(
    words('create', slot, variant, issuer),
    words('wait', moment),
    words('stop', fc.constantFrom('dead', 'dead', 'gently')),
    fc.constant('wait 1'),
    step,
    step,
    fc.constant('start'),
    words('wait', moment),
  ),
  // What a resource has got is lost while no operator runs, as with a backup that is put back.
  fc.tuple(
    words('create', fc.constantFrom('one/a', 'two/a'), variant, issuer),
    fc.constantFrom('wait 0.3', 'wait 3', 'wait 3', 'wait 1000'),
    words('stop', fc.constantFrom('dead', 'gently')),
    words('lose', fc.constantFrom('one/a', 'two/a')),
    fc.oneof(fc.constantFrom('wait 1', 'wait 50'), step),
    fc.constant('start'),
    words('wait', fc.constantFrom('3', '50', '400', '1000')),
  ),
  // A revocation is due while its account refuses everything for a while.
  fc.tuple(
    words('create one/b 0', fc.constantFrom('x', 'z')),
    fc.constant('wait 3'),
    fc.constant('rename one/b 1'),
    fc.constant('wait 290'),
    words('fault A cert/new', fc.constantFrom('limited-long', 'limited-long', 'cut-undone'), '1'),
    words('create one/a', variant, fc.constantFrom('x', 'z')),
    words('wait', fc.constantFrom('10', '50', '400')),
    words('create two/a', variant, fc.constantFrom('x', 'y')),
  ),
  // Certificates that are renewed every few hours, by a call that may fail.
  fc.tuple(
    words('validity', ca, fc.constantFrom('2', '6')),
    words('create', slot, variant, issuer),
    words(fc.constantFrom('rotation', 'rotation', 'windows'), slot, fc.constantFrom('Always', 'Never')),
    fc.constantFrom('wait 1', 'wait 4700', 'wait 14000'),
    words('fault', ca, fc.constantFrom('cert/new', 'cert/reissue', 'cert/reissue', 'cert/get'), fate, times),
    step,
    fc.constantFrom('wait 5000', 'wait 15000', 'wait 50000'),
  ),
  // One account is stopped for a while, and the other is well.
  fc.tuple(
    fc.constantFrom('fault A cert/new limited-long 1', 'fault A cert/new cut-undone 5'),
    words('create one/a', variant, 'x'),
    words('create two/a', variant, fc.constantFrom('x', 'y')),
    words('create one/b', variant, fc.constantFrom('x', 'y')),
  ),
);

/** Some steps after which the CA is well, the seed of everything else that is random, and how many workers there are. */
export const sequences = fc.record({
  seed: fc.nat(2 ** 31),
  workers: fc.constantFrom(3, 3, 2, 1),
  steps: fc
    .array(
      fc.oneof(
        { weight: 24, arbitrary: step.map((one) => [one]) },
        { weight: 1, arbitrary: cacertStep.map((one) => [one]) },
        { weight: 4, arbitrary: story.map((all) => [...all]) },
      ),
      { minLength: 6, maxLength: 24, size: 'max' },
    )
    .map((parts) => parts.flat()),
});
