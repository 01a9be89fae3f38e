import { attemptOwner, boughtIn, type OpenAttempt, uidOfOwner } from '../../issuance/tinycert/attempt.ts';
import { abandoned, released, type TinyCertView } from '../../issuance/tinycert/records.ts';
import { amend, endAttempt, known } from '../context/attempts.ts';
import type { Work } from '../context/work.ts';
import type { Deps } from '../context/deps.ts';

/**
 * Gives up the attempt of an owner whose resource is gone, or that nobody can conclude (`goneConcluded`): what it is known to
 * have bought goes on record, with this cause, else the attempt itself, so that the inventory finds what it bought.
 */
export function giveUpAttempt(
  deps: Deps,
  view: TinyCertView,
  owner: string,
  cause: 'Deleted' | 'Undecided' = 'Deleted',
): void {
  const found = view.entry(owner);
  if (!found) return;
  const { attempt: open } = known(deps, owner, found);
  if (!open) return endAttempt(deps, view, owner, found.id);
  const bought = boughtIn(open);
  const { issuer } = open.attempt;
  const records = bought
    ? released(view, [bought], { issuer, cause })
    : open.progress.is === 'unsent'
      ? []
      : [abandoned(view, uidOfOwner(owner), open.attempt)];
  endAttempt(deps, view, owner, open.id, records);
}

/**
 * For an attempt that its resource cannot conclude now, if another resource waits to ask for the same: one whose purchase is known
 * goes on without its request, and any other makes way once it is quiet. It is given up, unless it counts answers in doubt: then it
 * stays without its request, since that count keeps its resource from buying without end (`replyOnce`). Rejects as `View.open` does.
 */
export async function makeWay(
  { deps, inputs, view }: Pick<Work, 'deps' | 'inputs' | 'view'>,
  open: OpenAttempt,
): Promise<void> {
  const owner = attemptOwner(inputs.certificate.metadata.uid ?? '', open.attempt.account);
  if (!view.isInTheWay(owner) || quietAfterMs(deps, view, owner) > 0) return;
  const bought = boughtIn(open);
  if (bought) await amend({ deps, inputs, view }, open, { certificateId: bought.certificateId });
  else if (open.attempt.doubts === undefined) giveUpAttempt(deps, view, owner);
  else await amend({ deps, inputs, view }, open, {}, { keepsRequest: false });
}

/** For how many milliseconds the attempt of an owner can still have an effect that nobody knows; 0 if it can be given up. */
export function quietAfterMs(deps: Deps, view: TinyCertView, owner: string): number {
  const found = view.entry(owner);
  if (!found) return 0;
  const { attempts, clock, timing } = deps;
  const { quietAt, progress } = attempts.knowledgeOf(owner, found.id, clock.monotonic(), timing);
  return progress.is === 'open' ? Math.max(0, quietAt - clock.monotonic()) : 0;
}
