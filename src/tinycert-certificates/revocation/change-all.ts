import { stopsOf } from '../../account/stops.ts';
import type { CertificateRef } from '../../api/tinycert/identity.ts';
import { type SettableStatus, TinyCertError } from '../../tinycert/index.ts';
import type { Work } from '../context/work.ts';
import { changeStatus, type StatusAtCa } from './change-status.ts';

/** A certificate and the status that it is to get. */
export interface Wanted {
  certificate: CertificateRef;
  status: SettableStatus;
}

/**
 * Gives certificates a status one after the other. `note` is told each outcome before the next one is tried, so that a repeat can
 * leave out what is done. One that the CA refuses does not keep the others from being done: its error comes at the end. One that
 * concerns the account ends it at once. Rejects as `changeStatus` does.
 */
export async function changeAll(
  work: Pick<Work, 'deps' | 'issuer' | 'signal'>,
  wanted: readonly Wanted[],
  note: (done: Wanted, outcome: StatusAtCa) => void,
): Promise<void> {
  const refusals: TinyCertError[] = [];
  for (const each of wanted) {
    try {
      note(each, await changeStatus(work, each.certificate, each.status));
    } catch (error) {
      if (!(error instanceof TinyCertError) || work.signal.aborted || stopsOf(error) !== 'nobody')
        throw error;
      refusals.push(error);
    }
  }
  const [first] = refusals;
  if (first) throw first;
}
