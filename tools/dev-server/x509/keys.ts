import { type KeyObject, createHash, createPrivateKey, createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/** A key pair with the encodings that are often needed. */
export interface KeyPair {
  privateKey: KeyObject;
  /** PKCS#8 PEM. */
  pem: string;
  /** DER SubjectPublicKeyInfo. */
  spki: Buffer;
  /** SHA-256 of the SPKI, in hex. */
  fingerprint: string;
  /** SHA-1 of the public key's bits: the subject key identifier. */
  identifier: Buffer;
}

/** RSA 2048 with exponent 65537, made on libuv's threads. */
export async function generateRsaKey(): Promise<KeyPair> {
  const { privateKey } = await generate('rsa', { modulusLength: 2048 });
  return keyPairOf(privateKey);
}

/** P-256, for the server's own TLS. */
export async function generateEcKey(): Promise<KeyPair> {
  const { privateKey } = await generate('ec', { namedCurve: 'P-256' });
  return keyPairOf(privateKey);
}

export function keyPairFromPem(pem: string): KeyPair {
  return keyPairOf(createPrivateKey(pem));
}

function keyPairOf(privateKey: KeyObject): KeyPair {
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    privateKey,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    spki,
    fingerprint: createHash('sha256').update(spki).digest('hex'),
    identifier: createHash('sha1').update(publicKeyBits(publicKey, spki)).digest(),
  };
}

/** The contents of the BIT STRING that ends the SPKI: for RSA the PKCS#1 key, for P-256 the 65-byte point. */
function publicKeyBits(publicKey: KeyObject, spki: Buffer): Buffer {
  return publicKey.asymmetricKeyType === 'rsa'
    ? publicKey.export({ type: 'pkcs1', format: 'der' })
    : spki.subarray(-65);
}

export interface KeyPoolOptions {
  /** Keys made ahead. */
  size: number;
  /** Reuse them in turn. */
  reuse: boolean;
}

/** Key pairs made ahead, so `cert/new` need not wait for one. */
export class KeyPool {
  readonly #options: KeyPoolOptions;
  readonly #ready: KeyPair[] = [];
  #turn = 0;
  #inMaking = 0;
  #refill: Promise<void> | undefined;
  #closed = false;

  constructor(options: KeyPoolOptions) {
    this.#options = options;
  }

  /** Fills the pool. */
  async fill(): Promise<void> {
    await Promise.all([this.#fill(), this.#fill()]);
  }

  /** A key pair, from the pool or made now. */
  async take(): Promise<KeyPair> {
    if (this.#options.reuse && this.#ready.length > 0) {
      const key = this.#ready[this.#turn % this.#ready.length];
      this.#turn += 1;
      if (key) return key;
    }
    const key = this.#ready.shift();
    if (!key) return generateRsaKey();
    this.#refill ??= this.#fill().finally(() => {
      this.#refill = undefined;
    });
    return key;
  }

  /** Stops making keys; resolves when none is being made. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#refill;
  }

  async #fill(): Promise<void> {
    while (!this.#closed && this.#ready.length + this.#inMaking < this.#options.size) {
      this.#inMaking += 1;
      this.#ready.push(await generateRsaKey().finally(() => (this.#inMaking -= 1)));
    }
  }
}
