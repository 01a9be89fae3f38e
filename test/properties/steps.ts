import { secrets } from '../../src/kube/objects.ts';
import type { Fate } from './fates.ts';
import { type IssuerName, REAL_ISSUERS, type Slot, type World } from './world.ts';

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
  slow: { acts: 'in time', answer: { is: 'slow' } },
  limited: {
    acts: 'never',
    answer: { is: 'refusal', code: 'RateLimitExceeded', status: 429, retryAfter: 20 },
  },
  'limited-long': {
    acts: 'never',
    answer: { is: 'refusal', code: 'RateLimitExceeded', status: 429, retryAfter: 600 },
  },
  'not-found': { acts: 'never', answer: { is: 'refusal', code: 'NotFound', status: 404 } },
};

/** The calls that a fault can meet. */
export const CALLS = [
  'cert/reissue',
  'cert/new',
  'cert/get',
  'cert/details',
  'cert/list',
  'cert/status',
  'ca/list',
  'connect',
  '*',
];
type Do = (world: World, words: readonly string[]) => void | Promise<void>;

const actions: Readonly<Record<string, Do>> = {
  create: (world, [where, name, by]) =>
    world.createCertificate(slotOf(where), Number(name), by as IssuerName),
  rename: (world, [where, name]) => world.changeCertificate(slotOf(where), { variant: Number(name) }),
  switch: (world, [where, to]) => world.changeCertificate(slotOf(where), { issuer: to as IssuerName }),
  validity: (world, [name, hours]) => caNamed(world, name).setValidity(Number(hours) * 3_600),
  rotation: (world, [where, policy]) =>
    world.changeRenewal(slotOf(where), { privateKey: { rotationPolicy: policy as 'Always' | 'Never' } }),
  // Half an hour of every two.
  windows: (world, [where]) =>
    world.changeRenewal(slotOf(where), {
      renewal: {
        policy: 'RenewBefore',
        windows: [{ cron: '0 */2 * * *', timezone: 'UTC', windowDuration: '30m' }],
      },
    }),
  delete: (world, [where]) => world.deleteCertificate(slotOf(where)),
  'remove-issuer': (world, [name]) => world.deleteIssuer(name as IssuerName),
  'create-issuer': (world, [name]) => world.createIssuer(name as IssuerName),
  rotate: (world, [name]) => {
    caNamed(world, name).rotateApiKey();
    for (const each of REAL_ISSUERS) if (world.caOf(each).name === name) world.writeCredentials(each);
  },
  'rotate-at-ca': (world, [name]) => caNamed(world, name).rotateApiKey(),
  'end-sessions': (world, [name]) => caNamed(world, name).endSessions(),
  'wrong-login': (world, [name]) => world.writeCredentials(name as IssuerName, 'another key'),
  'right-login': (world, [name]) => world.writeCredentials(name as IssuerName),
  fault: (world, [name, call = '*', fate = '', times, after = '0']) => {
    const meets = FATES[fate];
    if (!meets) throw new Error(`No fate is called ${fate}`);
    caNamed(world, name).faults.add({ call, times: Number(times), after: Number(after), fate: meets });
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
  'cacert-create': (world, [emails]) => world.useCAcert().create(Number(emails)),
  'cacert-change': (world, [emails]) => {
    const { ca } = world.useCAcert();
    world.useCAcert().change({ emailAddresses: ca.member.emails.slice(0, Number(emails)) }, 'asks');
  },
  'cacert-rotation': (world, [policy]) =>
    world
      .useCAcert()
      .change({ privateKey: { size: 2048, rotationPolicy: policy as 'Always' | 'Never' } }, 'other'),
  'cacert-delete': (world) => world.useCAcert().delete(),
  'cacert-account': (world, [what]) =>
    what === 'create' ? world.useCAcert().createAccount() : world.useCAcert().deleteAccount(),
  'cacert-login': (world, [which]) => world.useCAcert().writeLogin(which === 'right'),
  'cacert-secret': (world, [how]) => world.useCAcert().loseSecret(how as 'remove' | 'spoil'),
  'cacert-validity': (world, [hours]) => world.useCAcert().ca.setValidity(Number(hours) * 3_600),
  'cacert-fault': (world, [call = '*', fate = '', times]) => {
    const meets = FATES[fate];
    if (!meets) throw new Error(`No fate is called ${fate}`);
    world.useCAcert().ca.faults.add({ call, times: Number(times), after: 0, fate: meets });
  },
  // It ends after what it has begun, or it dies in the middle of that.
  stop: (world, [how]) => world.stop(how as 'gently' | 'dead'),
  start: (world) => world.start(),
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
