import { keySize } from '../api/cacert/effective.ts';
import type { PrivateKey } from '../x509/private-key.ts';
import type { Deps } from './deps.ts';
import type { Inputs } from './inputs.ts';

/**
 * The key in the certificate's Secret, where the spec wants it kept and it is sound: whole, with its certificate, of the
 * right size. Undefined if a new one has to be made.
 */
export async function servedKey(
  deps: Deps,
  { certificate, secret }: Pick<Inputs, 'certificate' | 'secret'>,
  signal: AbortSignal,
): Promise<PrivateKey | undefined> {
  const { spec, status } = certificate;
  if (spec.privateKey?.rotationPolicy !== 'Never' || status?.serialNumber === undefined) return undefined;
  if (secret.state !== 'unchanged' && secret.state !== 'changed') return undefined;
  const view = await deps.certificateSecrets.read(certificate, signal);
  if (view.state !== 'changed' || !view.held) return undefined;
  const { key } = view.held;
  return key.modulusBits === keySize(spec) ? key : undefined;
}
