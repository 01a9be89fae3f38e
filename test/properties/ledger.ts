import { certificates, clusterIssuers, issuers } from '../../src/api/kinds.ts';
import { type Attempt, nameHash, readAttempt } from '../../src/issuance/tinycert/attempt.ts';
import { type Abandoned, readGivenUp, type Released } from '../../src/issuance/tinycert/records.ts';
import { secrets } from '../../src/kube/objects.ts';
import { JOURNAL_NAME, RECORDS_NAME } from '../../src/operator/journal.ts';
import { SECTION } from '../../src/tinycert-certificates/context/attempts.ts';
import type { Certificate } from '../../tools/dev-server/state/store.ts';
import type { Call, MemoryCa } from './ca.ts';
import { reissuedTooEarly, renewalsAmong } from './renewals.ts';
import { digestOf } from './truth.ts';
import { OPERATOR, REAL_ISSUERS, type Wish, type World } from './world.ts';

/** How many calls one resource may lead to within a second, beside those that its purchases need. */
const CALLS_A_SECOND = 2;
/**
 * The most calls that one effect needs. A purchase: the request, chain and key; one that a recovery found: its details, certificate,
 * chain and key. A change of status: the change, and the details before and after it.
 */
const CALLS_OF_AN_EFFECT = 4;
/** Of one candidate of a recovery: its details, and its certificate twice before it is believed to be too old (docs/guarantees.md, 1). */
const CALLS_OF_A_LOOK = 3;
/** By then a process has recovered what the one before it began: W + T + X after its start, in milliseconds. */
const INHERITED_MS = 60_000;
/** Of one line of an inventory that no resource claims: its details and its certificate. They are the issuer's calls. */
const CALLS_OF_AN_INVENTORY = 2;
const SECOND = 1_000;
/** A result is recorded this long after its request at the latest, in milliseconds: what is fetched for it may have no answer. */
const RECORDED_MS = 25_000;
/** What a tenant writes counts for the operator this much later at the latest, while its own writes are on their way: in milliseconds. */
const HEARD_WITHIN_MS = 5_000;
/** Of one object in half a minute: three times as many as one that is written over and over meets with its backoff. */
const MOST_CONFLICTS = 36;
/** The calls that change something. */
const ASKED: ReadonlySet<string> = new Set(['cert/new', 'cert/reissue', 'cert/status']);

/** Everything that is wrong with what was bought, kept, asked for and given up at the CAs, in a sentence each. */
export function ledgerFindings(world: World): string[] {
  return [
    ...tooManyConflicts(world),
    ...world.cas.flatMap((ca) => [
      ...tooManyCalls(world, ca),
      ...boughtTwice(world, ca),
      ...strangersTouched(world, ca),
      ...revokedAgain(world, ca),
      ...reissuedTooEarly(world, ca),
    ]),
  ];
}

/**
 * What was bought and is neither claimed, recorded nor at an end, once all is quiet. A tenant that puts back an earlier status takes
 * back the claims that came later, and nobody else has noted them.
 */
export function lost(world: World): string[] {
  const known = new Set(world.cluster.all(certificates).flatMap((each) => idsIn(each.status)));
  const all = [...world.cluster.all(clusterIssuers), ...world.cluster.all(issuers)];
  const journal = journalOf(world);
  const recorded = new Set([...all.flatMap(({ status }) => idsIn(status)), ...idsIn(journal)]);
  const attempts = [...journal.attempts, ...journal.abandoned];
  return world.cas.flatMap((ca) =>
    ca.certificates.flatMap((one) => {
      const status = ca.statusOf(one);
      if (typeof one.origin !== 'number' || (status !== 'good' && status !== 'hold')) return [];
      const id = `${digestOf(ca)} ${one.id}`;
      if (known.has(id) || recorded.has(id)) return [];
      const isCovered = attempts.some(
        (attempt) =>
          attempt.account === digestOf(ca) &&
          one.id > attempt.afterId &&
          attempt.nameHash === nameHash(one.subject.CN ?? ''),
      );
      const isTakenBack = wishesFor(world, one.subject.CN).some(({ slot }) => isPutBack(world, slot));
      return isCovered || isTakenBack || isUnprovenAndUnseen(world, ca, one)
        ? []
        : [`${ca.name} ${one.id} for ${one.subject.CN} is claimed and recorded nowhere`];
    }),
  );
}

/**
 * Whether a certificate is one of a resource that went, without a finalizer, while no operator ran, and is not the one that its Secret
 * proves to an issuer of the account (docs/guarantees.md, What is not guaranteed). A resource that names the Secret by now and has no
 * certificate yet decides what becomes of it.
 */
function isUnprovenAndUnseen(world: World, ca: MemoryCa, one: Certificate): boolean {
  const unseen = wishesFor(world, one.subject.CN ?? '').filter(({ uid }) => world.isUnseen(uid));
  const isReached = REAL_ISSUERS.some(
    (name) => world.caOf(name) === ca && world.issuer(name) && world.isLoginRight(name),
  );
  const isProven = unseen.some(({ slot }) => {
    const [namespace = '', name = ''] = slot.split('/');
    const { data = {} } = world.cluster.get(secrets, { namespace, name: `${name}-tls` }) ?? {};
    return one.der !== undefined && pemOf(data['tls.crt']).includes(one.der.toString('base64'));
  });
  const isWanted = unseen.some(({ slot }) => {
    const [namespace = '', name = ''] = slot.split('/');
    const present = world.cluster.get(certificates, { namespace, name });
    return present !== undefined && present.status?.certificateId === undefined;
  });
  return unseen.length > 0 && (isWanted || !(isReached && isProven));
}

/** A file of a Secret in PEM, without its line breaks. */
function pemOf(file = ''): string {
  return Buffer.from(file, 'base64').toString().replaceAll('\n', '');
}

/** What the operator's journal holds: attempts without a result, and what was given up. */
function journalOf({ cluster }: World): {
  attempts: Attempt[];
  abandoned: Abandoned[];
  released: Released[];
} {
  const of = (part: 'entry' | 'record'): Record<string, unknown>[] =>
    Object.entries(dataOf(part === 'entry' ? JOURNAL_NAME : RECORDS_NAME)).flatMap(([key, text]) =>
      key.startsWith(`${SECTION}.${part}.`)
        ? [JSON.parse(Buffer.from(text, 'base64').toString()) as Record<string, unknown>]
        : [],
    );
  const dataOf = (name: string): Record<string, string> =>
    cluster.get(secrets, { namespace: OPERATOR, name })?.data ?? {};
  const records = of('record').flatMap(({ record }) => readGivenUp(record) ?? []);
  return {
    attempts: of('entry').flatMap(({ entry }) => readAttempt(entry) ?? []),
    abandoned: records.filter((each) => each.is === 'abandoned'),
    released: records.filter((each) => each.is === 'released'),
  };
}

/** All certificates that a status names, as `<account> <id>`. */
function idsIn(value: unknown, account?: string): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => idsIn(each, account));
  if (typeof value !== 'object' || value === null) return [];
  const fields = value as Record<string, unknown>;
  const own = typeof fields['account'] === 'string' ? fields['account'] : account;
  const id = fields['certificateId'];
  return [
    ...(typeof id === 'number' && own !== undefined ? [`${own} ${id}`] : []),
    ...Object.values(fields).flatMap((each) => idsIn(each, own)),
  ];
}

/** The names that a call is about; undefined if it is about none or about nothing that there is. */
function subjectOf(call: Call, byId: ReadonlyMap<number, Certificate>): string | undefined {
  return call.params['CN'] ?? byId.get(Number(call.params['cert_id']))?.subject.CN;
}

function certificatesById(ca: MemoryCa): Map<number, Certificate> {
  return new Map(ca.certificates.map((one) => [one.id, one]));
}

/**
 * Calls are counted by the names that they are about; two resources may ask for the same names, so each has its share. Calls that
 * the CA refused for their session count for nothing: they are made again once. What has an effect brings the calls that it needs:
 * a purchase, a Secret that is written with what is fetched for it, a change of status at the CA, a spec that asks for something
 * else, and a fault of the CA, which ends one such try. A recovery looks at each candidate; if there is only one, the list tells.
 * An inventory that comes at the same time looks too: then there are two lists.
 * A process that starts proves what the one before it has left in a Secret, and recovers its attempt.
 */
function tooManyCalls(world: World, ca: MemoryCa): string[] {
  const byId = certificatesById(ca);
  // After either the client logs in again, and repeats the call once.
  const made = ca.calls.filter(({ refusal }) => refusal !== 'InvalidToken' && refusal !== 'SignatureFailure');
  const lists = made.filter(({ name }) => name === 'cert/list').map(({ at }) => at);
  return [...Map.groupBy(made, (call) => subjectOf(call, byId))].flatMap(([subject, calls]) => {
    if (subject === undefined) return [];
    const sharers = new Set(wishesFor(world, subject).map(({ slot }) => slot));
    const asked = wishesFor(world, subject).map(({ at }) => at);
    // A status that its tenant has put back is proved by the Secret.
    const putBack = world.replays.filter(({ slot }) => sharers.has(slot)).map(({ at }) => at);
    const effects = [...effectsOf(calls), ...secretWrites(world, sharers), ...asked, ...putBack];
    for (const [i, first] of calls.entries()) {
      const within = calls.slice(i).filter(({ at }) => at < first.at + SECOND);
      const near = effects.filter((at) => at > first.at - SECOND && at < first.at + 2 * SECOND).length;
      const looked = new Set(within.flatMap(({ params }) => params['cert_id'] ?? [])).size;
      const listed = lists.filter((at) => at > first.at - SECOND && at < first.at + 2 * SECOND).length;
      const share =
        Math.max(
          CALLS_A_SECOND * Math.max(1, sharers.size),
          looked > 1 || listed > 0 ? CALLS_OF_A_LOOK * looked : 0,
        ) + (listed > 1 ? CALLS_OF_AN_INVENTORY * looked : 0);
      const inherited = world.downtimes.some(({ to }) => to < first.at && first.at < to + INHERITED_MS)
        ? 1
        : 0;
      const most = share + CALLS_OF_AN_EFFECT * (near + inherited);
      if (within.length <= most) continue;
      const names = within.map(({ name }) => name).join(', ');
      return [`${within.length} calls about ${subject} at ${ca.name} in a second from ${first.at}: ${names}`];
    }
    return [];
  });
}

/** When a purchase or a change of status was asked for, and when a fault ended a try. */
function effectsOf(calls: readonly Call[]): number[] {
  return calls.filter(({ name, fate }) => ASKED.has(name) || fate !== undefined).map(({ at }) => at);
}

function secretWrites({ cluster }: World, slots: ReadonlySet<string>): number[] {
  return cluster.writes
    .filter(({ path, key }) => path.includes('/secrets') && slots.has(key.replace(/-tls$/, '')))
    .map(({ at }) => at);
}

function wishesFor({ wishes }: World, subject: string): readonly Wish[] {
  return wishes.filter(({ commonName }) => commonName === subject);
}

/**
 * One purchase for each wish, and one for each renewal. More only where docs/guarantees.md says so: an answer that was lost while two resources made the
 * same request (2), an earlier status that a tenant put back (9), an answer that was replayed (10), and a CA that said twice that it
 * does not have the certificate.
 */
function boughtTwice({ wishes, replays, downtimes }: World, ca: MemoryCa): string[] {
  const bought = Map.groupBy(
    ca.certificates.filter(
      ({ origin, previousId }) => typeof origin === 'number' && previousId === undefined,
    ),
    ({ subject }) => subject.CN,
  );
  const reads = ca.calls.filter(({ name }) => name !== 'cert/new');
  const notFound = ca.calls.filter(({ fate }) => isRefusal(fate, 'NotFound')).length;
  return [...bought].flatMap(([subject, all]) => {
    const wanted = wishes.filter((wish) => wish.commonName === subject && wish.ca === ca.name);
    // One that was deleted and created again is another resource.
    const rivals = new Set(wishes.filter((wish) => wish.commonName === subject).map(({ uid }) => uid)).size;
    const requests = ca.calls.filter(({ name, params }) => name === 'cert/new' && params['CN'] === subject);
    // An old answer to a recovery, repeated, hides what was bought: each leads to one more, although number 10 admits one in all.
    const replayed = [...requests, ...reads].filter(({ fate }) => fate?.answer.is === 'replay').length;
    // What a process has heard and not recorded when it dies is lost as well.
    const isLost = ({ fate, at }: Call): boolean =>
      fate !== undefined
        ? fate.acts !== 'never' && fate.answer.is !== 'slow'
        : downtimes.some(({ from }) => at < from && from < at + RECORDED_MS);
    // Of two that an attempt may have bought, the first hidden by an answer that was replayed, nobody can tell which it is (10).
    const unheard = rivals > 1 || replayed > 0 ? requests.filter(isLost).length : 0;
    const slots = new Set(wanted.map(({ slot }) => slot));
    const putBack = replays.filter(({ slot }) => slots.has(slot)).length;
    const renewed = renewalsAmong(ca.certificates.filter((one) => one.subject.CN === subject));
    const allowed = wanted.length + renewed + replayed + unheard + putBack + (notFound >> 1);
    if (all.length <= allowed) return [];
    const ids = all.map(({ id }) => id).join(', ');
    return [
      `${ca.name} sold ${ids} for ${subject}, which was wanted ${wanted.length} times (${allowed} allowed)`,
    ];
  });
}

function isRefusal(fate: Call['fate'], code: string): boolean {
  return fate?.answer.is === 'refusal' && fate.answer.code === code;
}

/** Writes of one object that met conflicts more often than their backoff, from 100 ms doubling to 5 s, allows. */
function tooManyConflicts({ cluster }: World): string[] {
  return [...Map.groupBy(cluster.conflicts, ({ path }) => path)].flatMap(([path, all]) => {
    const most = all.find((first, i) => (all[i + MOST_CONFLICTS]?.at ?? Infinity) < first.at + 30 * SECOND);
    return most
      ? [`over ${MOST_CONFLICTS} writes of ${path} were refused in half a minute from ${most.at}`]
      : [];
  });
}

/** Calls for a certificate that no resource ever wanted at this CA, and revocations that none asked for. */
function strangersTouched({ wishes }: World, ca: MemoryCa): string[] {
  const byId = certificatesById(ca);
  return ca.calls.flatMap(({ name, params, at }) => {
    const isKey = name === 'cert/get' && params['what'] === 'key.dec';
    if (!isKey && name !== 'cert/status' && name !== 'cert/reissue') return [];
    const id = Number(params['cert_id']);
    const one = byId.get(id);
    const wanted = wishes.filter((wish) => wish.commonName === one?.subject.CN && wish.ca === ca.name);
    if (!one || wanted.length === 0 || typeof one.origin !== 'number')
      return [`${name} at ${at} of ${ca.name} ${id}, which no resource wanted there`];
    if (name !== 'cert/status' || wanted.some(({ isRevoked }) => isRevoked)) return [];
    return [`${name} at ${at} of ${ca.name} ${id} for ${one.subject.CN}, which was not to be revoked`];
  });
}

/**
 * Revocations that were asked for again although the CA had confirmed them. A tenant that puts back an earlier status puts back what
 * was due in it, and what a process has done and not recorded ends with it.
 */
function revokedAgain(world: World, ca: MemoryCa): string[] {
  const byId = certificatesById(ca);
  const asked = ca.calls.filter(({ name }) => name === 'cert/status' || name === 'cert/details');
  return [...Map.groupBy(asked, ({ params }) => params['cert_id'])].flatMap(([id, calls]) => {
    const isTrue = ({ fate, refusal }: Call): boolean => fate === undefined && refusal === undefined;
    const slots = new Set(wishesFor(world, byId.get(Number(id))?.subject.CN ?? '').map(({ slot }) => slot));
    const begins = [
      ...world.downtimes.map(({ from }) => from),
      ...world.replays.filter(({ slot }) => slots.has(slot)).map(({ at }) => at),
    ].toSorted((a, b) => a - b);
    const spanOf = ({ at }: Call): number => begins.filter((begin) => begin <= at).length;
    return [...Map.groupBy(calls, spanOf).values()].flatMap((within) => {
      const done = within.findIndex((call) => call.name === 'cert/status' && isTrue(call));
      const confirmed = within.findIndex(
        (call, i) => done >= 0 && i > done && call.name === 'cert/details' && isTrue(call),
      );
      const again = confirmed < 0 ? undefined : within.slice(confirmed).find(isRevocation);
      const isHeardLate = world.replays.some(
        ({ slot, at }) =>
          slots.has(slot) && at >= (within[done]?.at ?? 0) - HEARD_WITHIN_MS && at <= (again?.at ?? 0),
      );
      return again && !isHeardLate
        ? [`${ca.name} ${id} was revoked again at ${again.at}, although that had been confirmed`]
        : [];
    });
  });
}

function isRevocation({ name }: Call): boolean {
  return name === 'cert/status';
}

function isPutBack({ replays }: World, slot: string): boolean {
  return replays.some((each) => each.slot === slot);
}
