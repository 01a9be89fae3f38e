import { stopsOf } from '../../account/stops.ts';
import type { Ticket } from '../../account/gate/parking.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import type { StatusAtCa, Wanted } from '../context/revocation-retries.ts';
import type { Work } from '../context/work.ts';
import { changeStatus, inOneTurn, StatusNotConfirmed } from './change-status.ts';

/**
 * Gives certificates of one resource a status one after the other, in one turn at the gate; without a ticket nothing admits it.
 * `note` is told each outcome before the next one is tried. What was done before, and is not in the status of the resource yet, is
 * told again and not done again: a repeat starts after it, whatever ended the last try. One that the CA refuses or does not confirm
 * does not keep the others from being done: its error comes at the end. An error that concerns the account ends it at once. Rejects
 * as `changeStatus` and `inOneTurn` do.
 */
export async function changeAll(
  work: Pick<Work, 'deps' | 'issuer' | 'signal'> & { uid: string },
  wanted: readonly Wanted[],
  ticket: Ticket | undefined,
  note: (done: Wanted, outcome: StatusAtCa) => void,
): Promise<void> {
  const { uid, deps, issuer } = work;
  const { revocationRetries: retries } = deps;
  const due = wanted.filter((each) => {
    const outcome = retries.outcomeOf(uid, each);
    if (outcome !== undefined) note(each, outcome);
    return outcome === undefined;
  });
  if (due.length === 0) return;
  await inOneTurn(issuer, ticket, () =>
    change(work, due, (done, outcome) => {
      retries.did(uid, done, outcome);
      note(done, outcome);
    }),
  );
}

async function change(
  work: Pick<Work, 'deps' | 'issuer' | 'signal'>,
  due: readonly Wanted[],
  note: (done: Wanted, outcome: StatusAtCa) => void,
): Promise<void> {
  const errors: Error[] = [];
  for (const each of due) {
    try {
      note(each, await changeStatus(work, each.certificate, each.status));
    } catch (error) {
      if (work.signal.aborted || !concernsOne(error)) throw error;
      errors.push(error);
    }
  }
  const [first] = errors;
  if (first) throw first;
}

/** Whether an error says nothing about the other certificates. */
function concernsOne(error: unknown): error is Error {
  if (error instanceof StatusNotConfirmed) return true;
  return error instanceof TinyCertError && stopsOf(error) === 'nobody';
}
