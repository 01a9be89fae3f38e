/** Keeps the service's state in a JSON file. It contains private keys, so only its owner may read it. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { type KeyPair, keyPairFromPem } from '../x509/keys.ts';
import type { Account, Store } from './store.ts';
import type { TlsAuthority } from '../http/tls.ts';

/** Minimum time between two writes, in milliseconds: each writes everything. */
const PAUSE = 200;

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));
const text = z.string().exactOptional();
const subject = z.strictObject({ C: z.string(), ST: text, L: text, O: z.string(), OU: text, CN: z.string() });
const credentials = z.object({ id: z.int(), email: z.string(), passphrase: z.string(), apiKey: z.string() });

const stateSchema = z.object({
  version: z.literal(1),
  nextAuthorityId: z.int(),
  nextCertificateId: z.int(),
  lastSeq: z.int(),
  tls: z.object({ key: z.string(), der: bytes }),
  keys: z.record(z.string(), z.string()),
  accounts: z.array(credentials),
  authorities: z.array(
    z.object({
      id: z.int(),
      accountId: z.int(),
      subject,
      hashMethod: z.enum(['sha1', 'sha256']),
      email: z.string(),
      notBefore: z.int(),
      notAfter: z.int(),
      key: z.string(),
      der: bytes,
    }),
  ),
  certificates: z.array(
    z.object({
      id: z.int(),
      caId: z.int(),
      subject,
      names: z.array(z.object({ type: z.enum(['DNS', 'IP', 'email', 'URI']), value: z.string() })),
      status: z.enum(['good', 'hold', 'revoked', 'obsolete']),
      key: z.string(),
      notBefore: z.int(),
      notAfter: z.int(),
      previousId: z.int().exactOptional(),
      replacedBy: z.int().exactOptional(),
      origin: z.union([z.int(), z.enum(['manual', 'other-customer'])]),
      revokedAt: z.int().exactOptional(),
      der: bytes.exactOptional(),
      foreignRoot: bytes.exactOptional(),
    }),
  ),
});

/** What the file has besides the store. */
export interface Kept {
  tls: TlsAuthority;
  lastSeq: number;
}

/** Fills an empty store from the file; undefined if there is no such file. Throws if it is no state file. */
export async function loadState(path: string, store: Store): Promise<Kept | undefined> {
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (content === undefined) return undefined;
  const state = readState(path, content);
  const pairs = new Map<string, KeyPair>();
  const pair = (fingerprint: string): KeyPair => {
    const found = pairs.get(fingerprint) ?? keyPairFromPem(state.keys[fingerprint] ?? '');
    pairs.set(fingerprint, found);
    return found;
  };
  for (const account of state.accounts) store.accounts.set(account.id, account);
  for (const { key, ...rest } of state.authorities) {
    store.authorities.set(rest.id, { ...rest, key: pair(key) });
  }
  for (const { key, ...rest } of state.certificates) {
    store.certificates.set(rest.id, { ...rest, key: pair(key) });
  }
  store.nextAuthorityId = state.nextAuthorityId;
  store.nextCertificateId = state.nextCertificateId;
  return { tls: { key: keyPairFromPem(state.tls.key), der: state.tls.der }, lastSeq: state.lastSeq };
}

function readState(path: string, content: string): z.infer<typeof stateSchema> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw new RangeError(`${path} is not a state file: it is not JSON`, { cause });
  }
  try {
    return stateSchema.parse(value);
  } catch (cause) {
    throw new RangeError(`${path} is not a state file of this version`, { cause });
  }
}

/** Writes the state after changes, at most every 200 ms, always completely and by renaming. */
export class StateFile {
  readonly #path: string;
  readonly #store: Store;
  readonly #kept: () => Kept;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #dirty = false;
  #writtenSeq: number | undefined;

  constructor(path: string, store: Store, kept: () => Kept) {
    this.#path = path;
    this.#store = store;
    this.#kept = kept;
  }

  /** Notes a change. */
  schedule(): void {
    this.#dirty = true;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // The next change retries a failed write, and the flush reports it.
      this.#writing = this.#writing.then(() => this.#write()).catch(() => {});
    }, PAUSE);
  }

  /** Writes what is not yet written, including the number of the last call, which also grows when the state does not change. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
    if (this.#kept().lastSeq !== this.#writtenSeq) this.#dirty = true;
    await this.#write();
  }

  async #write(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    const kept = this.#kept();
    const fresh = `${this.#path}.${process.pid}.new`;
    try {
      await writeFile(fresh, serialize(this.#store, kept), { mode: 0o600, flush: true });
      await rename(fresh, this.#path);
      this.#writtenSeq = kept.lastSeq;
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
  }
}

function serialize(store: Store, { tls, lastSeq }: Kept): string {
  const keys: Record<string, string> = {};
  const named = (pair: KeyPair): string => {
    keys[pair.fingerprint] = pair.pem;
    return pair.fingerprint;
  };
  const base64 = (value: Buffer | undefined): string | undefined => value?.toString('base64');
  const authorities = [...store.authorities.values()].map((authority) => ({
    ...authority,
    key: named(authority.key),
    der: base64(authority.der),
  }));
  const certificates = [...store.certificates.values()].map((certificate) => ({
    ...certificate,
    key: named(certificate.key),
    der: base64(certificate.der),
    foreignRoot: base64(certificate.foreignRoot),
  }));
  const accounts: Account[] = [...store.accounts.values()];
  return JSON.stringify({
    version: 1,
    nextAuthorityId: store.nextAuthorityId,
    nextCertificateId: store.nextCertificateId,
    lastSeq,
    tls: { key: tls.key.pem, der: base64(tls.der) },
    accounts,
    authorities,
    certificates,
    keys,
  });
}
