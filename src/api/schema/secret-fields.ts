import { integer, statusText } from './fields.ts';

/** Fields of a status: which Secret was written or checked last, for which spec, and which one is waited for. */
export const secretFields = {
  secretUID: statusText('UID of the Secret that was last written.', 64).exactOptional(),
  secretResourceVersion: statusText(
    'Resource version of the Secret that was last written or checked. The Secret is read again when it changes.',
    64,
  ).exactOptional(),
  secretGeneration: integer(
    'Generation of the spec for which the Secret was last written or checked.',
  ).exactOptional(),
  awaitedSecret: statusText(
    'Name of the Secret that this resource waits for, since it belonged to another one.',
    253,
  ).exactOptional(),
};
