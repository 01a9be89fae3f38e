import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { requestOf } from '../../issuance/tinycert/request.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { sameNames } from '../../x509/names.ts';
import type { Deps } from '../context/deps.ts';
import type { Inputs } from '../context/inputs.ts';
import { isFor, isFromAuthority, likelyIds, provenId } from './proven-id.ts';
import { secretHoldsCurrent } from '../../issuance/decide/readiness.ts';

/** What the Secret holds already, in place of what was to be written to it. */
export interface NewerInSecret {
  certificateId: number;
  leaf: Certificate;
  /** Whether nothing of it has to be written anew. */
  isPlain: boolean;
}

/**
 * What the own Secret holds, if it is the certificate that is to be published, or a later one for the same names and
 * subject: a Secret never goes back, and nothing is fetched that is there (rule 5). Asked twice: before the certificate
 * is fetched, when the annotation tells which id to look at, and with `fetched`, when its dates tell whether the
 * annotation can be right.
 */
export async function newerInSecret(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  certificateId: number,
  fetched: Certificate | undefined,
  signal: AbortSignal,
): Promise<NewerInSecret | undefined> {
  const { certificate, secret, names, sealed } = inputs;
  const held = secret.state === 'changed' ? secret.held : undefined;
  if (!held || !sameNames(held.leaf.names, names)) return undefined;
  // What status names is no later than what is being published.
  if (sealed !== false && secretHoldsCurrent(inputs)) return undefined;
  const request = requestOf(certificate, issuer, await issuer.material());
  if (!isFor(request, held.leaf)) return undefined;
  const { leaf, isPlain } = held;
  if (fetched?.raw.equals(leaf.raw))
    return isPlain && (await isFromAuthority(held, issuer)) ? { certificateId, leaf, isPlain } : undefined;
  // TinyCert dates a certificate with the moment of issue, so that an earlier one has a lower id.
  if (fetched && held.leaf.notBefore < fetched.notBefore) return undefined;
  const guesses = fetched
    ? await likelyIds(deps, issuer, held, certificateId, signal)
    : [held.claimedId].filter((id) => id !== undefined && id >= certificateId);
  const id = await provenId(deps, inputs, issuer, held, guesses, signal);
  return id === undefined ? undefined : { certificateId: id, leaf, isPlain };
}
