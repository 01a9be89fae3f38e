import { stopsOf } from '../../account/stops.ts';
import type { CertificateRef } from '../../api/tinycert/identity.ts';
import { type SettableStatus, TinyCertError } from '../../tinycert/index.ts';
import type { Work } from '../context/work.ts';
import { changeStatus, type StatusAtCa, StatusNotConfirmed } from './change-status.ts';

/** A certificate and the status that it is to get. */
export interface Wanted {
  certificate: CertificateRef;
  status: SettableStatus;
}

/**
 * Gives certificates a status one after the other. `note` is told each outcome before the next one is tried, so that a repeat can
 * leave out what is done. One that the CA refuses or does not confirm does not keep the others from being done: its error comes
 * at the end. An error that concerns the account ends it at once. Rejects as `changeStatus` does.
 */
export async function changeAll(
  work: Pick<Work, 'deps' | 'issuer' | 'signal'>,
  wanted: readonly Wanted[],
  note: (done: Wanted, outcome: StatusAtCa) => void,
): Promise<void> {
  const errors: Error[] = [];
  for (const each of wanted) {
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
