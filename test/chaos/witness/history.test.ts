import { describe, expect, test } from 'vitest';
import type { Stored, Version } from '../etcd.ts';
import { History } from './history.ts';
import type { Status } from './holdings.ts';
import { keyOf, type Ref } from './identity.ts';
import type { Entry } from './journal.ts';

const PLACE = 'chaos-1/web';
const WEB = `/registry/tinycert-operator.io/tinycertcertificates/${PLACE}`;
const JOURNAL = '/registry/secrets/chaos-1/tinycert-operator-journal';
const LEASE = '/registry/leases/chaos-1/tinycert-operator';
const authority = { account: 'acc', authorityId: 1 };
const attempt: Entry = {
  id: 'a',
  uid: 'u1',
  account: 'acc',
  authorityId: 1,
  since: '1970-01-01T00:00:01Z',
  until: '1970-01-01T00:00:02Z',
};

/** The certificate with this id. */
function of(certificateId: number): Ref {
  return { ...authority, certificateId };
}

function keys(...ids: number[]): Set<string> {
  return new Set(ids.map((id) => keyOf(of(id))));
}

/** An etcd whose versions the test stores, and the history that follows it. */
class Scene {
  readonly #objects = new Map<string, Stored>();
  readonly #listeners: ((version: Version) => void)[] = [];
  #revision = 0;
  readonly history = new History(
    {
      get: (key) => this.#objects.get(key),
      present: (prefix) =>
        [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object),
      subscribe: (listener) => this.#listeners.push(listener),
    },
    { speed: 1, epoch: 0 },
    () => true,
  );

  store(key: string, object: Stored | undefined): this {
    if (object) this.#objects.set(key, object);
    else this.#objects.delete(key);
    this.#revision += 1;
    for (const listener of this.#listeners) listener({ key, revision: this.#revision, object });
    return this;
  }

  /** The resource `web`. */
  web(status: Status, metadata: Partial<Stored['metadata']> = {}, dnsNames = ['b', 'a']): this {
    return this.store(WEB, {
      metadata: { name: 'web', namespace: 'chaos-1', uid: 'u1', ...metadata },
      spec: { dnsNames },
      status: { ...status },
    });
  }

  /** Somebody leads, and renewed the Lease at this time. */
  lease(holderIdentity: string, renewTime: string): this {
    const metadata = { name: 'tinycert-operator', namespace: 'chaos-1', uid: 'l' };
    return this.store(LEASE, { metadata, spec: { holderIdentity, renewTime } });
  }

  journal(entries: readonly Entry[], records: readonly object[] = [], writer = 'first'): this {
    const texts = [
      ['leader', { holder: writer }] as const,
      ...entries.map(
        ({ id, uid, isPutBack, ...entry }) => [`tinycert.entry.${uid}.0a`, { id, isPutBack, entry }] as const,
      ),
      ...records.map((record, i) => [`tinycert.record.${i}`, { record }] as const),
    ];
    const data = texts.map(([key, text]) => [key, Buffer.from(JSON.stringify(text)).toString('base64')]);
    return this.store(JOURNAL, { metadata: { name: '', uid: '' }, data: Object.fromEntries(data) });
  }
}

test('a place has heard of every id in a status or an attempt of it, and keeps that', () => {
  const { history } = new Scene()
    .web({ ...of(1), formerCertificates: [of(2)] })
    .web({ pendingRevocations: [of(3)] })
    .journal([{ ...attempt, certificateId: 4 }])
    .journal([]);

  expect(history.claims(PLACE).heard).toEqual(keys(1, 2, 3, 4));
  expect(history.claims('chaos-1/other').heard).toEqual(new Set());
});

test('a place has heard of what it left at former accounts, and of no id that lacks its account', () => {
  const left = { ...of(1), account: 'left' };
  const { history } = new Scene().web({
    certificateId: 7,
    formerAccounts: [
      { ...left, formerCertificates: [{ ...left, certificateId: 2 }], pendingRevocations: [of(3)] },
    ],
  });

  const kept = [left, { ...left, certificateId: 2 }, of(3)];
  expect(history.claims(PLACE).heard).toEqual(new Set(kept.map(keyOf)));
});

test('what attempts intended to reissue, and when, is known of them by the uid of their resource', () => {
  const { history } = new Scene()
    .web({})
    .journal([{ ...attempt, previousId: 1 }])
    .web({}, { uid: 'u2' })
    .journal([
      { ...attempt, id: 'b', uid: 'u2', previousId: 2 },
      { ...attempt, id: 'c', uid: 'elsewhere', previousId: 3 },
    ]);

  const { reissued, windows } = history.claims(PLACE);
  expect(reissued).toEqual(keys(1, 2));
  expect(windows).toEqual(
    new Map([
      ['a', { ...authority, since: 1_000, until: 2_000, asked: new Set(['b,a']) }],
      ['b', { ...authority, since: 1_000, until: 2_000, asked: new Set(['b,a']) }],
    ]),
  );
});

test('what a resource requested while an attempt was open is known', () => {
  const later = ['a', 'b'];
  const scene = new Scene().web({}).journal([attempt]).web({}, {}, later);
  const asked = (): unknown => scene.history.claims(PLACE).windows.get('a')?.asked;
  expect(asked()).toEqual(new Set(['b,a', 'a,b']));

  scene.web({ attemptId: 'a' }, {}, ['c']).journal([attempt]);
  expect(asked()).toEqual(new Set(['b,a', 'a,b']));
});

test('what a resource gave up is known from its record, and what perhaps was another’s is not', () => {
  const { history } = new Scene().journal(
    [],
    [
      { is: 'released', ...of(1), cause: 'Deleted' },
      { is: 'released', ...of(2) },
      { is: 'released', ...of(3), cause: 'Undecided' },
    ],
  );

  expect(history.givenUp).toEqual(keys(1, 2));
});

test.each([
  ['after a stop', '1970-01-01T01:00:00Z', ['a']],
  ['without any reason', '1970-01-01T00:00:01Z', []],
])('an attempt in a journal that is taken for one that was put back %s', (_, time, doubted) => {
  const { history } = new Scene()
    .web({})
    .lease('first', '1970-01-01T00:00:00Z')
    .journal([attempt])
    .lease('second', time)
    .journal([{ ...attempt, isPutBack: true }], [], 'second')
    .journal([{ ...attempt, isPutBack: true }], [], 'without election');

  expect([...history.claims(PLACE).doubted.keys()]).toEqual(doubted);
});

describe('a resource that is deleted', () => {
  test.each<[string, Entry[], Status, string[]]>([
    ['is interrupted with an open attempt', [attempt], of(1), ['b,a']],
    [
      'is interrupted if its attempt bought another certificate',
      [{ ...attempt, certificateId: 2 }],
      of(1),
      ['b,a'],
    ],
    ['is not interrupted without an attempt', [], {}, []],
    ['is not interrupted by another’s attempt', [{ ...attempt, uid: 'u2' }], {}, []],
    ['is not interrupted if its status names the attempt', [attempt], { attemptId: 'a' }, []],
    [
      'is interrupted by an attempt at an account that it has left',
      [{ ...attempt, account: 'left' }],
      { ...of(1), formerAccounts: [{ ...of(2), account: 'left' }] },
      ['b,a'],
    ],
    [
      'is interrupted if its attempt bought the same id at an account that it has left',
      [{ ...attempt, account: 'left', certificateId: 1 }],
      of(1),
      ['b,a'],
    ],
    [
      'is not interrupted if what it has left names the attempt',
      [attempt],
      { formerAccounts: [{ account: 'left', attemptId: 'a' }] },
      [],
    ],
    [
      'is not interrupted if what it has left has what the attempt bought',
      [{ ...attempt, account: 'left', certificateId: 1 }],
      { formerAccounts: [{ account: 'left', formerCertificates: [{ ...of(1), account: 'left' }] }] },
      [],
    ],
    [
      'is not interrupted if its status has what the attempt bought',
      [{ ...attempt, certificateId: 1 }],
      of(1),
      [],
    ],
  ])('%s', (_, entries, status, interrupted) => {
    const { history } = new Scene().web(status).journal(entries).store(WEB, undefined);

    expect(history.ends).toMatchObject([{ place: PLACE, interrupted }]);
  });

  test.each([
    ['is not interrupted if a finalizer waited for its attempt', ['f'], 'Revoke', []],
    ['is interrupted if its finalizer had nothing to do', ['f'], 'None', ['b,a']],
    ['is interrupted if it had no finalizer yet', [], 'Revoke', ['b,a']],
  ])('%s', (_, finalizers, onDelete, interrupted) => {
    const metadata = { name: 'web', uid: 'u1', finalizers };
    const { history } = new Scene()
      .store(WEB, { metadata, spec: { dnsNames: ['b', 'a'], revocation: { onDelete } } })
      .journal([attempt])
      .store(WEB, undefined);

    expect(history.ends).toMatchObject([{ interrupted }]);
  });

  test('is interrupted by an attempt that a process begins which has not seen its end', () => {
    const { history } = new Scene().web(of(1)).store(WEB, undefined).journal([attempt]);
    expect(history.ends).toMatchObject([{ interrupted: ['b,a'] }]);
  });

  test('has claimed what its last status had, and asked for every order of names in its spec', () => {
    const { history } = new Scene()
      .web(of(1))
      .web({ ...of(2), formerCertificates: [of(1)] }, {}, ['a', 'b'])
      .journal([attempt])
      .store(WEB, undefined);

    expect(history.ends).toMatchObject([{ claimed: [...keys(2, 1)], interrupted: ['b,a', 'a,b'] }]);
  });
});

test('the earlier statuses of a resource are those with another seal, and none of one before it', () => {
  const [first, second] = [{ seal: 's1', certificateId: 1 }, { seal: 's2' }];
  const scene = new Scene()
    .web({})
    .web(first)
    .web(second)
    .web({ ...second, certificateId: 3 });
  expect(scene.history.earlier(PLACE)).toEqual([first]);

  scene.web({ seal: 's3' }, { uid: 'u2' });
  expect(scene.history.earlier(PLACE)).toEqual([]);
});
