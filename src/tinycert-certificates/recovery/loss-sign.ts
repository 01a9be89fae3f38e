import { stopsOf } from '../../account/stops.ts';
import { type Facts, readFacts } from '../../issuance/tinycert/inventory/facts.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import { X509Error } from '../../x509/errors.ts';
import { knownTo } from '../context/loss-sign.ts';
import { callOptions, type Work } from '../context/work.ts';

/**
 * Reads what tells whether a resource has lost a certificate with its status: the list of the authority, if the last one may lack
 * that, and what its certificates are about. Lists are shared; each certificate is read once. Rejects with a `TinyCertError`.
 */
export async function lookForLoss(work: Work): Promise<void> {
  const { deps, inputs, issuer, view, signal } = work;
  const { certificate } = inputs;
  const { authority } = issuer;
  const known = knownTo(deps, certificate, issuer, view);
  if (deps.lossSigns.lacksList(certificate, authority, known))
    await deps.listAgain(issuer, known.lacksEntriesBefore ?? 0, signal);
  for (const id of deps.lossSigns.unread(certificate, issuer, known))
    deps.lossSigns.learn(authority, id, await factsOf(work, id));
}

/** One that the CA or its own encoding hides is no sign: it must not keep a resource from its first certificate. */
async function factsOf(work: Work, id: number): Promise<Facts | undefined> {
  const { account, authority } = work.issuer;
  try {
    return await readFacts(account, authority, id, callOptions(work));
  } catch (error) {
    if (error instanceof X509Error) return undefined;
    if (error instanceof TinyCertError && stopsOf(error) === 'nobody' && !work.signal.aborted)
      return undefined;
    throw error;
  }
}
