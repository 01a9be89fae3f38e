import { generateKeyPairSync } from 'node:crypto';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CACERT_ANNOTATIONS } from '../../../src/api/names.ts';
import { entryKey } from '../../../src/journal/layout.ts';
import { JOURNAL_NAME } from '../../../src/operator/journal.ts';
import type { Stored, Version } from '../etcd.ts';
import { MailHistory } from './history.ts';

const PLACE = 'chaos-1/mail';
const PENDING = `/registry/secrets/${PLACE}-pending-u1`;

interface Pair {
  pem: string;
  hash: string;
}

function pair(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    hash: createHash('sha256').update(spki).digest('hex'),
  };
}

const [first, second] = [pair(), pair()];

/** An etcd whose versions the test stores, and the history that follows it. */
class Scene {
  #listener: (version: Version) => void = () => {};
  #revision = 0;
  readonly history = new MailHistory(
    { subscribe: (listener) => (this.#listener = listener) },
    { speed: 1, epoch: 0 },
    (place) => place === PLACE,
  );

  store(key: string, object: Stored | undefined): this {
    this.#revision += 1;
    this.#listener({ key, revision: this.#revision, object });
    return this;
  }

  resource(uid: string | undefined, generation = 1): this {
    const object = uid === undefined ? undefined : { metadata: { name: 'mail', uid, generation }, spec: {} };
    return this.store(`/registry/tinycert-operator.io/cacertcertificates/${PLACE}`, object);
  }

  pending(key: Pair | undefined, certificate = ''): this {
    const metadata = { name: '', uid: 's', annotations: { [CACERT_ANNOTATIONS.pending]: 'u1' } };
    const data = { 'tls.key': base64(key?.pem ?? ''), 'tls.crt': base64(certificate) };
    return this.store(PENDING, key && { metadata, data });
  }

  attempt(publicKeyHash: string | undefined): this {
    const text = { id: 'a', entry: { publicKeyHash } };
    const data =
      publicKeyHash === undefined ? {} : { [entryKey('cacert', 'u1')]: base64(JSON.stringify(text)) };
    return this.store(`/registry/secrets/chaos-1/${JOURNAL_NAME}`, {
      metadata: { name: '', uid: 'j' },
      data,
    });
  }

  serve(key: Pair): this {
    const data = { 'tls.key': base64(key.pem) };
    return this.store(`/registry/secrets/${PLACE}`, { metadata: { name: 'mail', uid: 's' }, data });
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

test('a key belongs to the resource whose pending Secret it was in first', () => {
  const { history } = new Scene().resource('u1').pending(first);

  expect(history.placeOf(history.ownerOf(first.hash) ?? '')).toBe(PLACE);
  expect(history.ownerOf(second.hash)).toBeUndefined();
});

test.each([
  ['that is stored is no finding', first.hash, 0],
  ['that is stored nowhere is one', second.hash, 1],
])('an attempt for a key %s', (_, hash, findings) => {
  const { history } = new Scene().resource('u1').pending(first).attempt(hash);

  expect(history.lostKeys).toHaveLength(findings);
});

describe('a key that CAcert was asked for', () => {
  const asked = (): Scene => new Scene().resource('u1').pending(first).attempt(first.hash);

  test.each<[string, Scene, number]>([
    ['may go once its certificate is served', asked().serve(first).pending(undefined), 0],
    ['must not go before', asked().pending(undefined), 1],
    ['must not go because another key is served', asked().serve(second).pending(undefined), 1],
    ['must not be replaced', asked().pending(second), 1],
    ['may be replaced once a certificate is beside it', asked().pending(first, 'unfit').pending(second), 0],
    [
      'must not go although a certificate is beside it',
      asked().pending(first, 'unfit').pending(undefined),
      1,
    ],
    ['may go with its resource', asked().resource(undefined).pending(undefined), 0],
    ['may go once there is another resource of this name', asked().resource('u2').pending(undefined), 0],
  ])('%s', (_, { history }, findings) => {
    expect(history.lostKeys).toHaveLength(findings);
  });
});

test('a key that CAcert was never asked for may be replaced', () => {
  expect(new Scene().resource('u1').pending(first).pending(second).history.lostKeys).toEqual([]);
});

test('an attempt is open until it leaves the journal', () => {
  const scene = new Scene().resource('u1').pending(first).attempt(first.hash);
  expect(scene.history.openAttempts()).toEqual([PLACE]);

  expect(scene.attempt(undefined).history.openAttempts()).toEqual([]);
});

test('the specs of a resource are its generations', () => {
  const { history } = new Scene().resource('u1').resource('u1').resource('u1', 2).resource('u2');

  expect(history.specsOf('u1').map(({ generation }) => generation)).toEqual([1, 2]);
});
