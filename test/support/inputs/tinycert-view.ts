import { readAttempt } from '../../../src/issuance/tinycert/attempt.ts';
import { readGivenUp, type TinyCertView } from '../../../src/issuance/tinycert/records.ts';
import { SECTION } from '../../../src/tinycert-certificates/context/attempts.ts';
import { JournalApi } from '../kube/journal-api.ts';
import { viewOf } from '../kube/journal-process.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** TinyCert's part of a journal in one term, and the API server that stores it. It holds these texts at first, by key. */
export function tinycertView(
  clock = new VirtualClock(),
  options: Partial<Omit<Parameters<typeof viewOf>[2], 'clock'>> = {},
): { view: TinyCertView; api: JournalApi } {
  const api = new JournalApi();
  const codecs = { name: SECTION, entry: readAttempt, record: readGivenUp };
  const view = viewOf(codecs, api, { clock, leads: () => true, ...options });
  return { view, api };
}
