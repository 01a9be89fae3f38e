import {
  authorityKey,
  type CertificateRef,
  certificateOf,
  isSameAuthority,
} from '../../api/tinycert/identity.ts';
import { sendGate } from '../../issuance/attempt/send-gate.ts';
import type { WantedCondition } from '../../issuance/status/conditions.ts';
import { showLater } from '../../issuance/status/show-later.ts';
import {
  attemptOwner,
  groupOf,
  newAttempt,
  type OpenAttempt,
  placeHash,
  requestKey,
} from '../../issuance/tinycert/attempt.ts';
import type { AuthorityMaterial } from '../../issuance/tinycert/issuer-directory.ts';
import { isMarked } from '../../issuance/tinycert/marker.ts';
import { datesOf } from '../../issuance/tinycert/purchase-dates.ts';
import { released } from '../../issuance/tinycert/records.ts';
import { type Request, requestHash, requestOf } from '../../issuance/tinycert/request.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf } from '../../kube/objects.ts';
import { EntryTooLarge } from '../../journal/group.ts';
import { JournalRefused } from '../../journal/errors.ts';
import type { Instant } from '../../lib/clock.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { Reason } from '../../lib/reason.ts';
import type { AlternativeName } from '../../tinycert/index.ts';
import type { Names } from '../../x509/names.ts';
import { callOptions, type Work, withInputs } from '../context/work.ts';
import { failedConditions, servedUntil, workingConditions } from '../decide/readiness.ts';
import type { Order } from '../decide/types.ts';
import { lostPurchase } from '../recovery/lost-purchase.ts';
import { record } from '../status/record.ts';
import { atGate, purchaseLock } from './at-gate.ts';
import { afterDoubt, AnswerDoubted, assertOwnId } from './doubt.ts';
import { afterFailedCall, backOff } from './failure.ts';
import { publish } from './publish.ts';

/**
 * Buys one certificate: attempt in the journal, send gate, reply. It is admitted before it writes the attempt, so the time between
 * the attempt and the first byte is never spent in a queue.
 */
export async function issue(work: Work, order: Order): Promise<ReconcileResult> {
  const { inputs, issuer } = work;
  const material = await issuer.material();
  const lock = purchaseLock(issuer, inputs.names);
  return atGate(work, (present) => buy(present, material, order), lock);
}

async function buy(before: Work, material: AuthorityMaterial, order: Order): Promise<ReconcileResult> {
  const work = order.givesUp ? await givingUp(before, order) : before;
  const { deps, inputs, issuer } = work;
  const request = requestOf(inputs.certificate, issuer, material);
  const lost = order.operation === 'New' ? await lostPurchase(work, request) : undefined;
  const opened = await open(work, request, order, lost).catch((error: unknown) => {
    if (error instanceof JournalRefused || error instanceof EntryTooLarge) return backOff(work, error, {});
    throw error;
  });
  if (!('open' in opened)) return opened;
  failpoint('attempt');
  const { open: attempt, since } = opened;
  if (lost) {
    work.log.info({ certificate: lost }, 'Adopted a certificate whose attempt was lost with the journal');
    return publish(withInputs(work, { attempt }), { certificate: lost, outcome: 'adopted' });
  }
  // During a trial the failure that is reported stays until something succeeds.
  const isTrial = inputs.turn.phase !== 'open';
  const conditions = (): WantedCondition[] => (isTrial ? [] : workingConditions(inputs, order.why));
  const shown = showLater(deps, inputs.certificate, conditions, work.signal);
  let certificateId: number;
  try {
    certificateId = await send(work, request, attempt, since);
  } catch (error) {
    const attempted = withInputs(work, { certificate: await shown(), attempt });
    return afterFailedCall(attempted, attempt, error);
  }
  failpoint('reply');
  const bought = certificateOf(issuer.authority, certificateId);
  const attempted = withInputs(work, { certificate: await shown(), attempt });
  try {
    await assertOwnId(attempted, attempt.attempt, bought);
  } catch (error) {
    if (error instanceof AnswerDoubted) return afterDoubt(attempted, attempt, bought, error);
    throw error;
  }
  deps.attempts.bought(ownerOf(work), attempt.id, since.monotonic, bought);
  return publish(attempted, { certificate: bought, outcome: 'success' });
}

function ownerOf({ inputs, issuer }: Pick<Work, 'inputs' | 'issuer'>): string {
  return attemptOwner(inputs.certificate.metadata.uid ?? '', issuer.authority.account);
}

/** What the resource gives up is a former certificate before another one is bought, so that no crash loses it. */
async function givingUp(work: Work, { givesUp, why }: Order): Promise<Work> {
  const { deps, inputs, issuer, signal } = work;
  const certificate = await record(deps, {
    certificate: inputs.certificate,
    conditions: workingConditions(inputs, why),
    givesUp,
    sealer: issuer.account,
    signal,
  });
  return withInputs(work, { certificate });
}

/**
 * Writes the attempt into the journal before anything is sent. It is remembered first: if an answer of the API server or of
 * TinyCert gets lost, this process still knows whether the attempt was sent. `lost`: what it stands for was bought already, which
 * the entry says, so that no crash loses it, and keeps nobody waiting. Rejects as `View.open` does.
 */
async function open(
  work: Work,
  request: Request,
  { operation, why, records: ofReplaced = [], unclaimed = [], boughtNothing = false }: Order,
  lost: CertificateRef | undefined,
): Promise<{ open: OpenAttempt; since: Instant } | ReconcileResult> {
  const { deps, inputs, issuer, view } = work;
  const { certificate, attempt: replaced, sealed } = inputs;
  const { metadata, status } = certificate;
  const { account, authority } = issuer;
  const owner = ownerOf(work);
  const wanted = { requestHash: requestHash(request), isMarked: isMarked(request.subject) };
  const key = lost ? undefined : requestKey(authority, wanted);
  const group = groupOf(authority, metadata.namespace);
  // What is bought again all the same is reported as an orphan from now on, and no sign of a loss for anybody any more.
  const left = lost ? [] : unclaimed;
  const records = [
    ...ofReplaced,
    ...released(view, left, { issuer: placeHash(issuer.key), cause: 'Undecided', group }),
  ];
  const isOwn = sealed !== false && isSameAuthority(status, authority);
  const opened = await view.open({
    owner,
    group,
    ...(key === undefined ? {} : { request: key }),
    ...(replaced ? { replaces: replaced.id } : {}),
    ...(records.length > 0 ? { records } : {}),
    make: (id) => {
      const now = deps.clock.now();
      deps.attempts.prepared(owner, id, deps.clock.monotonic());
      const name = authorityKey(authority);
      const highest = account.highestId(authority.authorityId);
      if (highest !== undefined) deps.journal.lower(name, highest);
      const made = newAttempt(
        {
          authority: { account: authority.account, authorityId: authority.authorityId },
          operation,
          request,
          specHash: inputs.specHash,
          reason: why.reason,
          resource: placeHash(keyOf(certificate)),
          issuer: placeHash(issuer.key),
          revision: sealed === false && replaced ? replaced.attempt.revision : (status?.revision ?? 0) + 1,
          previousId: isOwn ? status?.certificateId : undefined,
          afterId: highest ?? deps.journal.highest(name),
          dates: datesOf(now, deps.timing, account.client.clockOffset()),
          replaced: replaced && { attempt: replaced.attempt, boughtNothing },
        },
        now,
      );
      return lost ? { ...made, certificateId: lost.certificateId } : made;
    },
  });
  if (opened.is === 'parked') return parked(work);
  const { id, entry, since } = opened;
  const knowledge = deps.attempts.knowledgeOf(owner, id, since.monotonic, deps.timing);
  return { open: { id, attempt: entry, isPutBack: false, ...knowledge }, since };
}

/** The journal has no room, or another resource asks for the same. It wakes the certificate when that may have changed. */
async function parked({ deps, inputs, signal }: Work): Promise<ReconcileResult> {
  const { certificate } = inputs;
  await deps.statuses.writeNews({ certificate, conditions: failedConditions(inputs, JOURNAL_FULL), signal });
  return { requeueAt: servedUntil(inputs) };
}

const JOURNAL_FULL: Reason = {
  reason: 'WaitsForAttempt',
  message:
    'TinyCert was asked for the same certificate, or for too many others, and has not answered yet. The operator continues by itself as soon as the result is known.',
};

/** Sends the request once, and resolves with the id of the certificate. */
function send(
  work: Work,
  { authorityId, names, subject }: Request,
  { id, attempt: { operation, previousId } }: OpenAttempt,
  since: Instant,
): Promise<number> {
  const { deps, issuer, view } = work;
  const { clock, timing } = deps;
  // What was decided before the journal was found changed is not sent (`refusedRepeats`).
  const leads = (): boolean => deps.leads() && view.isCurrent;
  const isKept = (): boolean => deps.attempts.isKept(ownerOf(work), id);
  const gate = sendGate({ clock, since, windowMs: timing.sendWindow, leads, isKept });
  const options = {
    ...callOptions(work),
    beforeSend: () => {
      failpoint('send');
      gate();
      deps.attempts.sent(ownerOf(work), id, since.monotonic);
    },
  };
  const { client } = issuer.account;
  if (operation === 'Reissue' && previousId !== undefined)
    return client.reissueCertificate(previousId, options);
  const { country = '', organization = '', ...rest } = subject;
  return client.createCertificate(
    {
      authorityId,
      subject: { ...rest, commonName: names.commonName, country, organization },
      alternativeNames: alternativeNames(names),
    },
    options,
  );
}

function alternativeNames(names: Names): AlternativeName[] {
  const of = (type: AlternativeName['type'], values: readonly string[]): AlternativeName[] =>
    values.map((value) => ({ type, value }));
  return [
    ...of('DNS', names.dns),
    ...of('IP', names.ip),
    ...of('URI', names.uri),
    ...of('email', names.email),
  ];
}
