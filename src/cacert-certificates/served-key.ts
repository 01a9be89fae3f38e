import { keySize } from '../api/cacert/effective.ts';
import type { PrivateKey } from '../x509/private-key.ts';
import type { Deps } from './deps.ts';
import type { Inputs } from './inputs.ts';

/**
 * The key in the certificate's Secret, if the spec wants to keep it and the Secret is sound: it holds key and certificate,
 * and the key has the right size. Undefined if a new key has to be made.
 */
export async function servedKey(
  { certificateSecrets }: Pick<Deps, 'certificateSecrets'>,
  { certificate, secret }: Pick<Inputs, 'certificate' | 'secret'>,
  signal: AbortSignal,
): Promise<PrivateKey | undefined> {
  const { spec, status } = certificate;
  if (spec.privateKey?.rotationPolicy !== 'Never' || status?.serialNumber === undefined) return undefined;
  if (secret.state !== 'unchanged' && secret.state !== 'changed') return undefined;
  const view = await certificateSecrets.read(certificate, signal);
  if (view.state !== 'changed' || !view.content) return undefined;
  const { key } = view.content;
  return key.modulusBits === keySize(spec) ? key : undefined;
}
