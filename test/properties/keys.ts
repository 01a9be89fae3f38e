import { generateKeyPairSync, sign } from 'node:crypto';
import { PrivateKey, readPkcs8 } from '../../src/x509/private-key.ts';

/** RSA keys take long to make, so those of one sequence serve the next one too. Within a sequence each is used once. */
const made: PrivateKey[] = [];
let used = 0;

/** Stands in for the product's `generateRsaKey`, which works on a thread, in real time. */
export function generateRsaKey(modulusLength: number): Promise<PrivateKey> {
  const key = made[used] ?? freshKey(modulusLength);
  made[used] = key;
  used += 1;
  return Promise.resolve(key);
}

/** Begins a sequence. Keys sign without a thread, since that would end at some moment of virtual time. */
export function beginKeys(): void {
  used = 0;
  PrivateKey.prototype.sign = function signHere(data) {
    return Promise.resolve(sign('sha256', data, this.toPkcs8()));
  };
}

function freshKey(modulusLength: number): PrivateKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent: 65_537 });
  return readPkcs8(privateKey.export({ type: 'pkcs8', format: 'der' }));
}
