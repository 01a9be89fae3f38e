/** The end of a run: everything comes to rest, and the witnesses judge. */
import { setTimeout as pause } from 'node:timers/promises';
import { helpMail } from './cacert/deeds.ts';
import { judgeMail, type MailVerdict } from './cacert/verdict.ts';
import { stuckMails } from './cacert/stuck.ts';
import { runNow, TIMING } from './clock.ts';
import { dropSecret, respec } from './deeds/resources.ts';
import type { Reign } from './operator.ts';
import type { Options } from './options.ts';
import type { Wanted } from './population.ts';
import type { RunState } from './run-state.ts';
import { overdueIn, type Status } from './witness/holdings.ts';
import { judge, type Verdict } from './witness/verdict.ts';

const POLL_MS = 500;

/** What the run itself knows of the operators' processes. */
export interface Witnessed {
  reigns: readonly Reign[];
  /** When a leading process ended or was frozen, in real milliseconds since the epoch. */
  interruptions: readonly number[];
}

/** The findings once everything is at rest. */
export interface Settled {
  verdict: Verdict;
  mail: MailVerdict;
  stuck: string[];
}

/** Waits until everything is at rest, then until the witnesses find nothing, each up to its limit. */
export async function settle(
  state: RunState,
  witnessed: () => Witnessed,
  { settle, speed }: Options,
  startAnew: () => Promise<void>,
): Promise<Settled> {
  const started = Date.now();
  const least = started + (TIMING.sendWindow + TIMING.callDeadline + TIMING.lateExecution) / speed;
  const seconds = (): string => ((Date.now() - started) / 1_000).toFixed(1);
  let stuck: string[];
  do {
    await pause(POLL_MS);
    await helpThoseWhoWait(state);
    await helpMail(state);
    stuck = [...stuckOf(state), ...stuckMails(state)];
  } while ((stuck.length > 0 || Date.now() < least) && Date.now() < started + settle);
  state.progress(`${stuck.length} stuck after ${seconds()} s.`);
  // Restart, since the inventory runs at a start and then only at long intervals.
  await startAnew();
  const end = Date.now() + settle;
  let verdict: Verdict;
  do {
    await pause(POLL_MS);
    verdict = await verdictOf(state, witnessed());
  } while (!resultIsQuiet(verdict) && Date.now() < end);
  state.progress(`At rest after ${seconds()} s.`);
  return { verdict, stuck, mail: await mailVerdictOf(state, witnessed()) };
}

function resultIsQuiet({ lost, orphansWitnessed, orphansReported }: Verdict): boolean {
  return (
    lost.length === 0 &&
    orphansWitnessed.length === orphansReported.length &&
    orphansWitnessed.every((id) => orphansReported.includes(id))
  );
}

/**
 * Does what a condition asks of a person: about a forged status without any remaining proof of the truth, about a Secret whose
 * label somebody removed before the resource was created again, and about answers that were in doubt twice in a row.
 */
async function helpThoseWhoWait(state: RunState): Promise<void> {
  for (const { metadata, status } of state.history.certificates()) {
    const wanted = state.population.find(metadata.namespace ?? '', metadata.name);
    const { conditions = [] } = (status ?? {}) as Status;
    if (!wanted) continue;
    if (conditions.some(({ reason }) => reason === 'SecretNotOwned')) await dropSecret(state, wanted);
    if (conditions.some(({ reason }) => reason === 'AnswersDoubted')) await respec(state, wanted);
    if (wanted.forged === 0 || !conditions.some(({ reason }) => reason === 'SealBroken')) continue;
    wanted.forged = 0;
    await respec(state, wanted);
  }
}

async function verdictOf(state: RunState, { reigns }: Witnessed): Promise<Verdict> {
  const { cas, history, population, allowances, forgotten } = state;
  const both = Object.values(cas);
  const [certificates, journal, authorities] = await Promise.all([
    Promise.all(both.map((ca) => ca.certificates())),
    Promise.all(both.map((ca) => ca.journal())),
    Promise.all(both.map((ca) => ca.authorities())),
  ]);
  return judge({
    certificates: certificates.flat(),
    journal: journal.flat(),
    authorities: authorities.flat(),
    history,
    tags: population.tags,
    allowances,
    forgotten,
    reigns,
    rekeys: ({ namespace, name }) => population.find(namespace, name)?.more['privateKey'] !== undefined,
  });
}

/**
 * The resources that are not Ready for the present spec, do not exist, or leave something undone that is due, with the reason; and
 * attempts that are still open.
 */
function stuckOf({ population, history, clock, forgotten }: RunState): string[] {
  const now = runNow(clock);
  const present = new Map(
    history.certificates().map((one) => [`${one.metadata.namespace}/${one.metadata.name}`, one]),
  );
  const open = history
    .journals()
    .entries.map(({ id, uid }) => `${history.placeOf(uid) ?? uid}: attempt ${id} is still in the journal`);
  const unready = population.all.flatMap((wanted: Wanted) => {
    const place = `${wanted.namespace}/${wanted.name}`;
    const resource = present.get(place);
    if (!resource) return [`${place} is not there`];
    const { conditions = [] } = (resource.status ?? {}) as Status;
    const ready = conditions.find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True' || ready.observedGeneration !== resource.metadata.generation)
      return [`${place}: ${ready ? `${ready.reason}: ${ready.message}` : 'no condition'}`];
    const behind = conditions.find(
      ({ type, status }) => type === 'FormerAccountPending' && status === 'True',
    );
    if (behind && !isForgotten(wanted)) return [`${place}: ${behind.reason}: ${behind.message}`];
    return overdueIn((resource.status ?? {}) as Status, now).map((due) => `${place}: ${due} is overdue`);
  });
  return [...unready, ...open];

  /** What a forged status names at a former account stays there, since no proof of it is left. */
  function isForgotten({ namespace, name }: Wanted): boolean {
    return [...forgotten].some((tag) => tag.namespace === namespace && tag.name === name);
  }
}

async function mailVerdictOf(state: RunState, { interruptions }: Witnessed): Promise<MailVerdict> {
  const { cacert, mails, mailHistory, clock } = state;
  const [certificates, requests, journal] = await Promise.all([
    cacert.certificates(),
    cacert.requests(),
    cacert.journal(),
  ]);
  return judgeMail({
    certificates,
    requests,
    journal,
    root: cacert.ready.rootPem,
    history: mailHistory,
    wishOf: (emails) => mails.wishOf(emails),
    interruptions: interruptions.map((at) => clock.epoch + (at - clock.epoch) * clock.speed),
  });
}
