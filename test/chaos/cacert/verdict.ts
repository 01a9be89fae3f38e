/** The findings of the witness of CAcert. */
import type {
  CAcertCertificateView,
  CAcertJournalEntry,
  CAcertRequestView,
} from '../../../tools/dev-server/cacert/types.ts';
import type { MailHistory, SpecVersion } from './history.ts';
import type { MailWish } from './population.ts';
import { readMailSecret } from './secret-check.ts';

/** The data behind a verdict. Times in milliseconds of the run. */
export interface MailEvidence {
  certificates: readonly CAcertCertificateView[];
  requests: readonly CAcertRequestView[];
  journal: readonly CAcertJournalEntry[];
  /** The root, PEM. */
  root: string;
  history: Pick<MailHistory, 'secrets' | 'lostKeys' | 'allowedAt' | 'ownerOf' | 'placeOf' | 'specsOf'>;
  wishOf: (emails: readonly string[]) => MailWish | undefined;
  /** When a leading process ended or was frozen. */
  interruptions: readonly number[];
}

/** Each finding is a sentence. */
export interface MailVerdict {
  lost: string[];
  doubled: string[];
  wrongOwner: string[];
  invalid: string[];
  /** Requests that CAcert accepted. */
  requests: number;
}

/** What docs/cacert.md and docs/guarantees.md, section 10, state. */
const ANONYMOUS = 'CAcert WoT User';
const UNCERTAIN_WAIT_MS = 900_000;
const MOST_PER_DAY = 6;
const DAY_MS = 86_400_000;
const CALL_MS = 125_000;
/** What clocks, seconds of certificates and the way to the server may make of a time. */
const SLACK_MS = 10_000;
/** How long after an answer a process may still have been at work on it. */
const TO_STORE_MS = 8_000;

/** Certificates with these defects are kept and not served, and no other is requested for the same spec. */
const UNFIT = new Set<string | undefined>([
  'dropped-email',
  'anonymous-name',
  'no-client-auth',
  'wrong-names',
  'wrong-key',
  'expired',
  'foreign-chain',
]);

export function judgeMail(evidence: MailEvidence): MailVerdict {
  const { history, requests } = evidence;
  const served = judgeSecrets(evidence);
  return {
    lost: [...history.lostKeys],
    doubled: [...judgeRequests(evidence, served), ...judgeDays(evidence), ...judgeCalls(evidence)],
    wrongOwner: [...served.wrongOwner, ...judgeOwners(evidence)],
    invalid: served.invalid,
    requests: requests.length,
  };
}

interface Served {
  wrongOwner: string[];
  invalid: string[];
  /** Every certificate that a Secret has held, in order. */
  all: { place: string; at: number; id: number; request: string }[];
}

function judgeSecrets({ history, root, certificates, wishOf }: MailEvidence): Served {
  const result: Served = { wrongOwner: [], invalid: [], all: [] };
  for (const { place, revision, at, data } of history.secrets) {
    const name = `Secret ${place} at revision ${revision}`;
    try {
      const found = readMailSecret(data, { root, now: at });
      const known = certificates.find(
        (one) => one.serial === found.serial && one.keyFingerprint === found.keyFingerprint,
      );
      const wish = wishOf(found.emails);
      if (!known) result.invalid.push(`${name} has a certificate that CAcert did not sign for its key`);
      else if (!wish || (wish.commonName ?? ANONYMOUS) !== found.commonName)
        result.invalid.push(`${name} has ${known.id}, which nobody requested so`);
      else if (wish.place !== place) result.wrongOwner.push(`${name} has ${known.id} of ${wish.place}`);
      else result.all.push({ place, at, id: known.id, request: wish.request });
    } catch (error) {
      result.invalid.push(`${name}: ${error instanceof Error ? error.message : 'unreadable'}`);
    }
  }
  return result;
}

/** Each request is one that somebody wished for, for a key of that resource. */
function judgeOwners({ requests, history, wishOf }: MailEvidence): string[] {
  return requests.flatMap(({ id, cn, emails, keyFingerprint }) => {
    const wish = wishOf(emails);
    if (!wish || (wish.commonName ?? ANONYMOUS) !== cn)
      return [`request ${id} is for what nobody wished for`];
    const owner = history.placeOf(history.ownerOf(keyFingerprint) ?? '');
    return owner === wish.place
      ? []
      : [`request ${id} of ${wish.place} is for a key of ${owner ?? 'nobody'}`];
  });
}

/** Whether a second request of one resource for the same is due to what happened to the first. */
function judgeRequests(evidence: MailEvidence, { all }: Served): string[] {
  const { requests, history, wishOf } = evidence;
  const calls = new Map(evidence.journal.map((call) => [call.seq, call]));
  // A request counts from its call: CAcert may have come to it only later.
  const asked = requests.map((request) => ({
    ...request,
    requestedAt: calls.get(request.origin)?.at ?? request.requestedAt,
  }));
  const groups = Map.groupBy(asked, ({ emails, keyFingerprint }) => {
    const uid = history.ownerOf(keyFingerprint) ?? '';
    return `${uid} ${wishOf(emails)?.request}`;
  });
  return [...groups.values()].flatMap((group) =>
    group.slice(1).flatMap((next, i) => {
      const before = group[i];
      const why = before && whyNot(evidence, all, before, next);
      return why === undefined
        ? []
        : [`request ${next.id} of ${wishOf(next.emails)?.place}: ${before?.id} ${why}`];
    }),
  );
}

/** Why there was no reason for another request after this one, or undefined if there was. */
function whyNot(
  evidence: MailEvidence,
  all: Served['all'],
  before: CAcertRequestView,
  next: CAcertRequestView,
): string | undefined {
  const { history, certificates, wishOf, interruptions, journal } = evidence;
  const { place = '', request = '' } = wishOf(before.emails) ?? {};
  const specs = history.specsOf(history.ownerOf(before.keyFingerprint) ?? '');
  const hasOtherSpec = specsBetween(specs, before, next).some(
    ({ emails }) => wishOf(emails)?.request !== request,
  );
  const served = all.find(({ id, place: at }) => id === before.id && at === place);
  if (served) {
    const certificate = certificates.find(({ id }) => id === before.id);
    const lifetime = ((certificate?.notAfter ?? 0) - (certificate?.notBefore ?? 0)) * 1_000;
    const isOld = next.requestedAt - before.requestedAt >= lifetime / 3;
    const isAllowed = history
      .allowedAt(place)
      .some((at) => at >= before.requestedAt - SLACK_MS && at <= next.requestedAt + SLACK_MS);
    const isReplaced = all.some(
      (one) =>
        one.place === place &&
        one.request !== request &&
        one.at >= before.requestedAt &&
        one.at <= next.requestedAt + SLACK_MS,
    );
    return isOld || isAllowed || isReplaced ? undefined : 'was served, and nothing happened to it';
  }
  const call = journal.find(({ seq }) => seq === before.origin);
  if (UNFIT.has(call?.fault) && before.status === 'signed')
    return hasOtherSpec ? undefined : 'was unfit, and so kept';
  const end = (call?.endedAt ?? before.requestedAt) + TO_STORE_MS;
  const isExplained =
    call === undefined ||
    call.fault !== undefined ||
    call.aborted === true ||
    call.late === true ||
    hasOtherSpec ||
    interruptions.some((at) => at >= call.at - SLACK_MS && at <= end);
  if (!isExplained) return 'was answered, and nothing interrupted its delivery';
  const isChanged = specsBetween(specs, before, next).length > 0;
  const isEarly = next.requestedAt - before.requestedAt < UNCERTAIN_WAIT_MS - SLACK_MS;
  return isEarly && !isChanged ? 'was uncertain, and the next came too soon' : undefined;
}

/** The specs that the resource got between two requests; any change ends a wait. */
function specsBetween(
  specs: readonly SpecVersion[],
  before: CAcertRequestView,
  next: CAcertRequestView,
): readonly SpecVersion[] {
  return specs.filter(
    ({ at, generation }) =>
      generation > 1 && at >= before.requestedAt - SLACK_MS && at <= next.requestedAt + SLACK_MS,
  );
}

function judgeDays({ requests, history }: MailEvidence): string[] {
  const byUid = Map.groupBy(requests, ({ keyFingerprint }) => history.ownerOf(keyFingerprint) ?? '');
  return [...byUid].flatMap(([uid, all]) => {
    const excess = all.some((one, i) => {
      const first = all[i - MOST_PER_DAY];
      return first !== undefined && one.requestedAt - first.requestedAt < DAY_MS - SLACK_MS;
    });
    return excess
      ? [`${history.placeOf(uid)} asked CAcert more than ${MOST_PER_DAY} times within a day`]
      : [];
  });
}

/** One call at a time for each account, as long as the client waits for it. */
function judgeCalls({ journal, interruptions }: MailEvidence): string[] {
  const calls = journal.filter(({ call, account }) => call === 'ccsr' && account !== undefined);
  return calls.flatMap((one) => {
    const { at, endedAt = Infinity, aborted, late, account } = one;
    const end = Math.min(endedAt, at + CALL_MS);
    // The process that waits for it may be no leader any more.
    const isLeft =
      aborted === true || late === true || interruptions.some((time) => time >= at && time <= end);
    const other = calls.find((each) => each.seq > one.seq && each.account === account && each.at < end);
    if (!other || isLeft) return [];
    return [`call ${other.seq} of ${account} began while ${one.seq} was under way`];
  });
}
