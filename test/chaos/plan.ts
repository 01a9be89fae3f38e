import type { Fault } from '../../tools/dev-server/types.ts';
import { type MailDeed, mailDeed } from './cacert/plan.ts';
import { type CaName, CAS } from './issuers.ts';
import { Random } from './random.ts';

/** Steps at which the operator is killed and frozen: all of `src/lib/failpoint.ts`. */
export const STEPS = [
  'decide',
  'attempt',
  'send',
  'reply',
  'check',
  'secret',
  'result',
  'previous',
  'list',
  'live',
  'cluster',
  'revoke',
  'revoked',
  'finalizer',
  'vanish',
  'pending',
  'forget',
] as const;
export type StepName = (typeof STEPS)[number];

/** What leads the operator to a step. */
export type Stimulus =
  | 'issue'
  | 'reissue'
  | 'lost-issue'
  | 'lost-reissue'
  | 'delete'
  | 'replace'
  | 'repair'
  | 'mail'
  | 'lost-mail';

/** What happens to one process. */
export type Order =
  | { do: 'kill' | 'stop'; step: StepName; nth: number; stimulus: Stimulus; election: boolean }
  /** A SIGKILL at any moment. */
  | { do: 'random'; afterMs: number; stimulus: Stimulus; election: boolean }
  /** Frozen while one of its calls waits for a connection or a session. */
  | { do: 'pool'; how: 'session' | 'connections'; election: boolean };

/** What people, tenants, the CA and the cluster do meanwhile. */
export type Deed =
  | MailDeed
  | { do: 'touch' | 'respec' | 'recreate' | 'renew' | 'drop-secret' | 'damage-secret' | 'unlabel-secret' }
  | { do: 'forge'; what: 'id' | 'id-with-seal' | 'attempt-id' | 'replay' | 'annotation' }
  /** Another issuer for the same names; another API key, replaced at the CA or in the Secrets first; an issuer deleted and made again. */
  | { do: 'switch' | 'remake-issuer' }
  /** A resource comes by several duties, at both endpoints, and is deleted with all of them. */
  | { do: 'heap-duties' }
  /** The CA sends the answer to an earlier request once more. */
  | { do: 'replay'; at: CaName; fault: Fault }
  | { do: 'rotate-key'; at: CaName; first: 'ca' | 'secrets' }
  | { do: 'twin' | 'reissue-by-hand' | 'revoke-by-hand' | 'hold-by-hand' }
  | { do: 'desire'; status: 'Good' | 'Hold' | 'Revoked' }
  | { do: 'fault'; at: CaName; fault: Fault }
  | { do: 'credentials' | 'outage' | 'expire-sessions' | 'rate-limit'; at: CaName }
  | { do: 'short-lived' }
  | { do: 'api-server' | 'etcd' | 'compact' | 'older-crds' | 'kill-other' };

export interface Planned {
  /** Milliseconds after the previous deed. */
  afterMs: number;
  deed: Deed;
  /** From 0 to 1, picks one of the resources that it can affect. */
  whom: number;
}

export interface Plan {
  orders: Order[];
  deeds: Planned[];
}

const stimuli: Record<StepName, readonly Stimulus[]> = {
  decide: ['issue', 'reissue', 'repair'],
  attempt: ['issue', 'reissue', 'mail'],
  send: ['issue', 'reissue', 'mail'],
  reply: ['issue', 'reissue', 'mail'],
  check: ['issue', 'reissue', 'mail', 'repair'],
  secret: ['issue', 'reissue', 'mail', 'repair'],
  result: ['issue', 'reissue', 'mail'],
  previous: ['lost-reissue', 'lost-issue'],
  list: ['lost-issue', 'lost-reissue'],
  live: ['lost-reissue', 'lost-issue'],
  cluster: ['lost-issue'],
  revoke: ['delete', 'replace'],
  revoked: ['delete', 'replace'],
  finalizer: ['delete', 'issue'],
  vanish: ['delete'],
  pending: ['mail', 'lost-mail'],
  forget: ['mail'],
};

/**
 * Everything that a run with this many kills does, in order: the same for the same seed. `steps` are those of this build of the
 * operator.
 */
export function makePlan(seed: number, kills: number, clockSpeed: number, steps: readonly StepName[]): Plan {
  const random = new Random(seed);
  return { orders: orders(random.fork(), kills, steps), deeds: deeds(random.fork(), kills, clockSpeed) };
}

/** With this many kills a run is long enough to reach every step. */
export function coversAll(kills: number, steps: readonly StepName[]): boolean {
  return kills >= 2 * steps.length;
}

/** Kills and freezes at this step, one for every stimulus that leads there. */
export function ordersAt(step: StepName, what: 'kill' | 'stop'): Order[] {
  return stimuli[step].map((stimulus) => ({ do: what, step, nth: 1, stimulus, election: true }));
}

/** Kills and freezes at each step in turn, with every stimulus, between kills at random. Freezes do not count as kills. */
function orders(random: Random, kills: number, steps: readonly StepName[]): Order[] {
  const result: Order[] = [];
  let killed = 0;
  for (let round = 0; killed < kills; round += 1) {
    const election = round % 2 === 0;
    const pool: Order = { do: 'pool', how: round % 2 === 0 ? 'session' : 'connections', election };
    const ofRound: Order[] = [pool];
    for (const step of steps) {
      const options = stimuli[step];
      const stimulus = options[round % options.length] ?? 'issue';
      ofRound.push({ do: 'kill', step, nth: step === 'decide' ? random.int(1, 9) : 1, stimulus, election });
      // A freeze between attempt and send is the most informative.
      if (step === 'attempt' || step === 'send' || round % 2 === 0)
        ofRound.push({ do: 'stop', step, nth: 1, stimulus, election });
      if (random.chance(0.4))
        ofRound.push({
          do: 'random',
          afterMs: random.int(0, 3_000),
          stimulus: random.pick(['issue', 'reissue', 'lost-issue']),
          election,
        });
    }
    for (const order of random.shuffled(ofRound)) {
      if (order.do === 'kill' || order.do === 'random') {
        if (killed === kills) break;
        killed += 1;
      }
      result.push(order);
    }
  }
  return result;
}

function deeds(random: Random, kills: number, clockSpeed: number): Planned[] {
  const at = (): CaName => random.pick(CAS);
  const often: readonly (() => Deed)[] = [
    () => ({ do: 'touch' }),
    () => ({ do: 'respec' }),
    () => ({ do: 'recreate' }),
    () => ({ do: 'switch' }),
    () => ({ do: 'renew' }),
    () => ({ do: random.pick(['drop-secret', 'damage-secret', 'unlabel-secret'] as const) }),
    () => ({ do: 'fault', at: at(), fault: faultOf(random, clockSpeed) }),
    () => ({ do: 'fault', at: at(), fault: lostAnswer(random, clockSpeed) }),
  ];
  const sometimes: readonly (() => Deed)[] = [
    () => ({
      do: 'forge',
      what: random.pick(['id', 'id-with-seal', 'attempt-id', 'replay', 'annotation'] as const),
    }),
    () => ({ do: 'twin' }),
    () => ({ do: random.pick(['reissue-by-hand', 'revoke-by-hand', 'hold-by-hand'] as const) }),
    () => ({ do: 'desire', status: random.pick(['Good', 'Hold', 'Revoked'] as const) }),
    () => ({ do: 'short-lived' }),
    () => ({ do: random.pick(['expire-sessions', 'rate-limit'] as const), at: at() }),
    () => ({ do: random.pick(['credentials', 'outage'] as const), at: at() }),
    () => ({ do: 'rotate-key', at: at(), first: random.pick(['ca', 'secrets'] as const) }),
    () => ({ do: 'remake-issuer' }),
    () => ({ do: 'heap-duties' }),
    () => mailDeed(random, clockSpeed),
    () => mailDeed(random, clockSpeed),
    () => ({ do: 'replay', at: at(), fault: replayed(random) }),
    () => ({ do: 'kill-other' }),
  ];
  const rarely: readonly Deed[] = [
    { do: 'api-server' },
    { do: 'compact' },
    { do: 'etcd' },
    { do: 'older-crds' },
  ];
  const result: Planned[] = [];
  const rareAt = new Map(rarely.map((deed, i) => [10 + i * 12, deed]));
  for (let i = 0; i < Math.max(60, kills * 8); i += 1) {
    const rare = rareAt.get(i % 90);
    const deed = rare ?? (random.chance(0.72) ? random.pick(often)() : random.pick(sometimes)());
    result.push({ afterMs: random.int(100, 700), deed, whom: random.next() });
  }
  return result;
}

/** An answer is lost but the certificate is bought, sometimes after the client gave up. */
function lostAnswer(random: Random, clockSpeed: number): Fault {
  const call = random.pick(['cert/new', 'cert/new', 'cert/reissue'] as const);
  const within = Math.round(random.int(1_000, 15_000) / clockSpeed);
  const beyond = Math.round(random.int(50_000, 80_000) / clockSpeed);
  return random.pick<Fault>([
    { call, kind: 'reset-after' },
    { call, kind: 'reset-after', times: 3 },
    { call, kind: 'late', ms: within },
    { call, kind: 'late', ms: within, cut: true },
    { call, kind: 'late', ms: beyond, cut: true },
    { call, kind: 'truncated', bytes: 3 },
    { call, kind: 'error', code: 'UnknownError', status: 500, acts: true },
    { call, kind: 'html', acts: true },
  ]);
}

/** An earlier answer to the same call, whoever got it, with or without effect of the request. */
function replayed(random: Random): Fault {
  const call = random.pick([
    'cert/new',
    'cert/new',
    'cert/reissue',
    'cert/reissue',
    'cert/get',
    'cert/list',
    'cert/details',
    'cert/status',
  ] as const);
  return { call, kind: 'replay', acts: random.chance(0.5) };
}

/** Every other fault of the CA's server, on any call. */
function faultOf(random: Random, clockSpeed: number): Fault {
  const call = random.pick([
    'cert/new',
    'cert/reissue',
    'cert/get',
    'cert/list',
    'cert/details',
    'cert/status',
    'connect',
  ] as const);
  const ms = Math.round(random.int(1_000, 30_000) / clockSpeed);
  return random.pick<Fault>([
    { call, kind: 'hang' },
    { call, kind: 'reset-before', times: 2 },
    { call, kind: 'delay', ms },
    { call, kind: 'html' },
    { call, kind: 'not-json', acts: true },
    { call, kind: 'redirect', location: 'https://127.0.0.1:1/', acts: true },
    { call, kind: 'error', code: 'ApiKeyFailure' },
    { call, kind: 'error', code: 'RateLimitExceeded', retryAfter: 2 },
    { call, kind: 'error', code: 'InvalidToken' },
    { call, kind: 'huge', acts: true, bytes: 3_000_000 },
    { call, kind: 'truncated' },
    { call, kind: 'trickle', bytes: 64, ms: 20 },
    { call: 'cert/get', kind: 'wrong-key' },
    { call: 'cert/get', kind: 'wrong-names' },
    { call: 'cert/get', kind: 'expired' },
    { call: 'cert/get', kind: 'future', seconds: 3600 },
    { call: 'cert/get', kind: 'foreign-chain' },
  ]);
}
