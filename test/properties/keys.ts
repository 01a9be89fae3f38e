import { generateKeyPairSync, sign } from 'node:crypto';
import { PrivateKey, readPkcs8 } from '../../src/x509/private-key.ts';

/** RSA keys take long to make, so those of one sequence serve the next one too. Within a sequence each is used once. */
const made: PrivateKey[] = [];

type Sign = (this: PrivateKey, data: Buffer) => Promise<Buffer>;

/** The method that all keys share, as a property. */
function shared(): { sign: Sign } {
  return PrivateKey.prototype;
}

/** The keys of one sequence. They are made and sign without a thread, since that would end at some moment of virtual time. */
export class Keys {
  #used = 0;
  readonly #restore: () => void;

  constructor() {
    const prototype = shared();
    const signOnThread = prototype.sign;
    prototype.sign = function signHere(data) {
      return Promise.resolve(sign('sha256', data, this.toPkcs8()));
    };
    this.#restore = () => {
      prototype.sign = signOnThread;
    };
  }

  /** The next key. */
  next(modulusLength: number): Promise<PrivateKey> {
    const key = made[this.#used] ?? freshKey(modulusLength);
    made[this.#used] = key;
    this.#used += 1;
    return Promise.resolve(key);
  }

  /** Gives all keys their own way to sign back. */
  close(): void {
    this.#restore();
  }
}

function freshKey(modulusLength: number): PrivateKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent: 65_537 });
  return readPkcs8(privateKey.export({ type: 'pkcs8', format: 'der' }));
}
