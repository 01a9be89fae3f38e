import { randomUUID } from 'node:crypto';
import type { LeaseHistory } from '../kube/lease.ts';
import { type BackoffOptions, backoffDelay } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { asError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { Contents } from './contents.ts';
import { markPutBack } from './group.ts';
import type { HighestIds } from './highest-ids.ts';
import { type Leader, LEADER_KEY, read } from './layout.ts';
import type { OwnVersions } from './put-back.ts';
import type { JournalStore, Outcome } from './store.ts';

/** What a process tells its journal of itself. */
export interface JournalProcess {
  clock: Clock;
  log: Logger;
  /** The name of this process. */
  holder: string;
  /** Whether this process leads at this moment. */
  leads: () => boolean;
  /** What the Lease told when it was acquired; undefined without a leader election. */
  lease: () => LeaseHistory | undefined;
  /** Called when the journal is taken over, for the Lease to tell the next leader. */
  begun?: () => void;
  /** How long a request of an attempt can still change something at any CA, in milliseconds: W + T + X. */
  quietMs: number;
  /**
   * Whether no operator has made an attempt here yet. Asked when a process finds no journal at its first takeover: then there is
   * nothing to wait for. Without it the process always waits.
   */
  isFirstUse?: (signal: AbortSignal) => Promise<boolean>;
}

export interface TakeoverOptions extends JournalProcess {
  store: JournalStore;
  /** Of the records. */
  records: JournalStore;
  highest: HighestIds;
  versions: OwnVersions;
  /** Called with what becomes of each write. */
  onOutcome: (outcome: Outcome['is']) => void;
}

/** The waits after a takeover that failed. */
export const TAKEOVER_BACKOFF: BackoffOptions = { base: 500, max: 15_000, jitter: 0.1 };
/** How often a process looks whether it leads again, in milliseconds. */
export const LOOK_FOR_LEASE_MS = 500;

/**
 * Takes the journal over (F1): reads it, and writes it over the version that was read, so that no earlier leader, and no write
 * of this process that is still on its way, can change it any more. Then it reads the records: what an earlier leader has removed
 * from the journal is among them, since records are written first. Who finds no journal, or one that was put back, waits before that until
 * nothing can happen any more of what the journal before it had (`missingWaits`, `putBackWaits`). Tries until it succeeds; rejects with
 * the signal's reason.
 */
export async function takeOver(options: TakeoverOptions, signal: AbortSignal): Promise<Taken> {
  const { clock, log } = options;
  const progress: Progress = { hasWaited: false, wasMissing: false };
  for (let failures = 0; ;) {
    while (!options.leads()) await clock.sleep(LOOK_FOR_LEASE_MS, signal);
    signal.throwIfAborted();
    try {
      const taken = await tryOnce(options, progress, signal);
      if (taken === 'again') continue;
      if (taken) return { ...taken, lacksEntriesBefore: progress.hasWaited ? clock.now() : undefined };
      failures += 1;
    } catch (thrown) {
      signal.throwIfAborted();
      log.warn({ error: asError(thrown) }, 'Could not take over the journal');
      failures += 1;
    }
    await clock.sleep(backoffDelay(TAKEOVER_BACKOFF, failures), signal);
  }
}

/** What was taken over. */
export interface Taken {
  contents: Contents;
  /** The version of the journal, and of its records; undefined if there are none yet. */
  version: string;
  recordVersion: string | undefined;
  /**
   * Set if it was missing or put back: entries of requests that the CA has acted on before this moment, in milliseconds since the
   * epoch, may be lost with it.
   */
  lacksEntriesBefore: number | undefined;
}

/** What one try has taken over. */
type Written = Omit<Taken, 'lacksEntriesBefore'>;

interface Progress {
  /** W + T + X have passed in this takeover. */
  hasWaited: boolean;
  /** There was no journal; one that appears now was put back. */
  wasMissing: boolean;
}

/** 'again' after a wait, and undefined if the write was not stored. */
async function tryOnce(
  options: TakeoverOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Written | 'again' | undefined> {
  const { store, versions, lease, quietMs, log } = options;
  const found = await store.read(signal);
  if (!found) {
    if (!progress.hasWaited && !(await isFirstUse(options, signal))) {
      progress.wasMissing = true;
      log.warn(
        { waitMs: quietMs },
        'There is no journal: nothing is decided until no earlier request can act any more',
      );
      await wait(options, progress, signal);
      return 'again';
    }
    const made = await write(options, Contents.of(new Map()), (contents) =>
      store.create(contents.data, signal),
    );
    return made && withRecords(options, made, signal);
  }
  const isPutBack = versions.wasPutBack(found.data, lease(), quietMs) || progress.wasMissing;
  if (isPutBack && !progress.hasWaited) {
    log.warn(
      { waitMs: quietMs },
      'The journal may have been put back from a backup: nothing is decided until no earlier request can act any more',
    );
    await wait(options, progress, signal);
    return 'again';
  }
  const before = Contents.of(found.data);
  const taken = await write(
    options,
    before,
    (contents) => store.write(found.version, contents.changesSince(before), signal),
    isPutBack,
  );
  return taken && withRecords(options, taken, signal);
}

async function withRecords(
  { records }: TakeoverOptions,
  { contents, version }: { contents: Contents; version: string },
  signal: AbortSignal,
): Promise<Written> {
  const found = await records.read(signal);
  return {
    contents: Contents.of(contents.data, found?.data),
    version,
    recordVersion: found?.version,
  };
}

async function isFirstUse(
  { versions, isFirstUse: ask }: TakeoverOptions,
  signal: AbortSignal,
): Promise<boolean> {
  return ask !== undefined && !versions.hasAny && ask(signal);
}

async function wait(
  { clock, quietMs }: TakeoverOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  await clock.sleep(quietMs, signal);
  progress.hasWaited = true;
}

async function write(
  { holder, lease, begun, highest, versions, log, leads, onOutcome }: TakeoverOptions,
  before: Contents,
  send: (contents: Contents) => Promise<Outcome>,
  isPutBack = false,
): Promise<{ contents: Contents; version: string } | undefined> {
  const contents = before.copy();
  const last = read.leader(before.data.get(LEADER_KEY))?.leaders ?? 0;
  const leader: Leader = { holder, leaders: lease()?.leaders ?? last, takeover: randomUUID() };
  contents.set(LEADER_KEY, JSON.stringify(leader));
  if (isPutBack) markPutBack(contents);
  highest.learn(contents);
  highest.writeTo(contents);
  // F3: a process that froze during the read may have been replaced.
  if (!leads()) return undefined;
  versions.sent(contents.data);
  const outcome = await send(contents);
  onOutcome(outcome.is);
  if (outcome.is === 'written') {
    versions.confirmed(contents.data);
    begun?.();
    return { contents, version: outcome.version };
  }
  const error = 'error' in outcome ? outcome.error : undefined;
  log.warn(
    { outcome: outcome.is, ...(error ? { error } : {}) },
    'The takeover of the journal was not written',
  );
  return undefined;
}
