import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificate, issued } from '../../../test/support/inputs/inputs.ts';
import { filesFor, tlsSecret } from '../../../test/support/inputs/secret-files.ts';
import { StoredObject, refusal } from '../../../test/support/kube/stored-object.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { AUTHORITY, type Vector, Vectors } from '../../../test/support/x509/x509-vectors.ts';
import { type TinyCertCertificate, certificates } from '../../api/kinds.ts';
import { MANAGED_LABEL } from '../../api/names.ts';
import type { KubeObject, Secret } from '../../kube/objects.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';
import { readPrivateKey } from '../../x509/private-key.ts';
import type { CertificateKind } from '../certificate-kind.ts';
import { LastWritten } from '../status/last-written.ts';
import { CertificateSecrets, present } from './certificate-secrets.ts';

const { signal } = new AbortController();
const NAME = 'example.com/made-for';
const kind: CertificateKind<TinyCertCertificate> = {
  type: certificates,
  caName: 'Example CA',
  timing: { sendWindow: 1, callDeadline: 1, lateExecution: 1 },
  nameAnnotation: NAME,
  metadataOf: ({ metadata }) => ({
    labels: { [MANAGED_LABEL]: 'true' },
    annotations: { [NAME]: metadata.name },
  }),
  claimedBy: () => undefined,
  restated: [],
  echoed: [],
};
/** The uid of a resource that has an attempt without a result. */
const ISSUING = 'issuing';
const ours = kind.metadataOf(certificate());
const madeForOther = { labels: ours.labels, annotations: { [NAME]: 'other' } };

const vectors = new Vectors();
let root: Vector;
let leaf: Vector;
let content: Certificate;
let files: Record<string, string>;
beforeAll(() => {
  root = vectors.make({ subject: '/CN=Example CA', extensions: AUTHORITY });
  leaf = vectors.make({ subject: '/CN=www.example.com', issuer: root });
  content = readCertificate(leaf.cert);
  files = filesFor(leaf, root);
});
afterAll(() => vectors.remove());

function setUp(stored: Secret | undefined, others: readonly TinyCertCertificate[] = [], watched = stored) {
  const server = new StoredObject<Secret>(stored);
  let reads = 0;
  const kube = server.kube;
  const find = kube.find.bind(kube);
  kube.find = (...args: Parameters<typeof find>) => {
    reads += 1;
    return find(...args) as never;
  };
  const written = new LastWritten<KubeObject>({ clock: new VirtualClock() });
  const secrets = new CertificateSecrets<TinyCertCertificate>({
    kube,
    kind,
    certificates: {
      get: (key) => [...others, certificate()].find(({ metadata }) => key === `ns/${metadata.name}`),
    },
    watched: { get: () => watched },
    written,
    claims: { elderOf: () => undefined },
    isOpen: ({ metadata }) => metadata.uid === ISSUING,
  });
  return { secrets, server, written, reads: () => reads };
}

const source = () => ({
  leaf: content,
  intermediates: [],
  root: readCertificate(root.cert),
  key: readPrivateKey(leaf.key),
});

describe('a Secret that may have changed', () => {
  const resource = certificate({ status: issued });
  const conditions = issued.conditions?.map((condition) => ({ ...condition, observedGeneration: 2 }));
  const reported = certificate({ status: { ...issued, conditions: conditions ?? [] }, generation: 2 });

  test('is not read while the watched version is the one in status', async () => {
    const { secrets, reads } = setUp(tlsSecret(files, ours));
    const view = await secrets.readIfChanged(resource, signal);
    expect(view).toMatchObject({ state: 'unchanged', metadata: { resourceVersion: '10' } });
    expect(reads()).toBe(0);
  });

  test.each<[string, TinyCertCertificate, Partial<Secret['metadata']>, string]>([
    ['the spec changed', certificate({ status: issued, generation: 2 }), {}, 'unchanged'],
    ['the spec changed, whatever has been reported since', reported, {}, 'unchanged'],
    ['a newer version was watched', resource, { resourceVersion: '11' }, 'changed'],
    ['another object has its name', resource, { uid: 'restored' }, 'changed'],
    [
      'the deletion policy is not applied yet',
      certificate({ status: issued, spec: { secretDeletionPolicy: 'Delete' } }),
      {},
      'changed',
    ],
  ])('is read if %s', async (_, of, change, state) => {
    const { secrets, reads } = setUp(tlsSecret(files, { ...ours, ...change }));
    expect(await secrets.readIfChanged(of, signal)).toMatchObject({ state });
    expect(reads()).toBe(1);
  });

  test('is read if the watch has not delivered it, or its deletion', async () => {
    const unseen = setUp(tlsSecret(files, ours), [], null as never);
    expect(await unseen.secrets.readIfChanged(resource, signal)).toMatchObject({ state: 'unchanged' });
    const deleted = setUp(undefined, [], tlsSecret(files, { ...ours, resourceVersion: '9' }));
    expect(await deleted.secrets.readIfChanged(resource, signal)).toEqual({ state: 'absent' });
  });
});

describe('a Secret', () => {
  const fresh = certificate();
  const waited = certificate({ status: { awaitedSecret: 'web-tls' } });
  const waitedElsewhere = certificate({ status: { awaitedSecret: 'elsewhere' } });
  const issuing = { ...fresh, metadata: { ...fresh.metadata, uid: ISSUING } };
  const other = { ...fresh, metadata: { ...fresh.metadata, name: 'other' } };
  const moved = { ...other, spec: { ...other.spec, secretName: 'elsewhere' } };

  test.each<[string, TinyCertCertificate, Secret['metadata'] | object, TinyCertCertificate[], string]>([
    ['of this certificate is ours', fresh, ours, [], 'changed'],
    ['without our metadata is foreign', fresh, {}, [], 'foreign'],
    ['of a deleted resource is foreign', fresh, madeForOther, [], 'foreign'],
    ['of a deleted resource is inherited after waiting', waited, madeForOther, [], 'changed'],
    [
      'of a deleted resource is foreign after waiting for another',
      waitedElsewhere,
      madeForOther,
      [],
      'foreign',
    ],
    ['of a deleted resource is inherited while issuing', issuing, madeForOther, [], 'changed'],
    ['without our metadata is foreign while issuing too', issuing, {}, [], 'foreign'],
    ['of a resource that names another Secret now is inherited', waited, madeForOther, [moved], 'changed'],
    ['of a resource that still names it is foreign', waited, madeForOther, [other], 'foreign'],
  ])('%s', async (_, resource, metadata, others, state) => {
    const { secrets } = setUp(tlsSecret(files, metadata), others);
    expect(await secrets.read(resource, signal)).toMatchObject({ state });
  });

  test('without our metadata is ours if status records it and its certificate', async () => {
    const status = { ...issued, serialNumber: content.serialNumber };
    const { secrets } = setUp(tlsSecret(files));
    expect(await secrets.read(certificate({ status }), signal)).toMatchObject({
      state: 'changed',
      content: { leaf: { serialNumber: content.serialNumber } },
      hasMetadata: false,
    });
  });

  test('that is foreign or immutable comes with the cure', async () => {
    const foreign = await setUp(tlsSecret(files)).secrets.read(fresh, signal);
    expect(foreign).toEqual({
      state: 'foreign',
      metadata: tlsSecret(files).metadata,
      reason: 'SecretNotOwned',
      message:
        'The Secret web-tls exists and was not made for this certificate: choose another secretName, or delete the Secret.',
    });
    const immutable = { ...tlsSecret(files, ours), immutable: true };
    expect(await setUp(immutable).secrets.read(fresh, signal)).toEqual({
      state: 'foreign',
      metadata: immutable.metadata,
      reason: 'SecretImmutable',
      message:
        'The Secret web-tls is immutable and cannot be renewed: choose another secretName, or delete the Secret.',
    });
  });

  test('of ours without usable content has none', async () => {
    const { secrets } = setUp(tlsSecret({ 'tls.crt': 'x' }, ours));
    expect(await secrets.read(fresh, signal)).toMatchObject({ state: 'changed', content: undefined });
  });
});

describe('publishing', () => {
  const resource = certificate();

  test('creates a whole Secret', async () => {
    const { secrets, server } = setUp(undefined);
    const { metadata } = await secrets.publish(resource, source(), ours, undefined, signal);
    expect(server.object).toEqual({
      ...tlsSecret(files),
      metadata: {
        namespace: 'ns',
        name: 'web-tls',
        ...ours,
        uid: 'new-uid',
        resourceVersion: metadata.resourceVersion,
      },
    });
  });

  test('does not replace a Secret that someone created meanwhile', async () => {
    const { secrets, server } = setUp(undefined);
    const theirs = tlsSecret({ 'tls.crt': 'theirs' });
    server.beforeWrite = () => void (server.object = theirs);
    const published = secrets.publish(resource, source(), ours, undefined, signal);
    await expect(published).rejects.toMatchObject({ status: 409, reason: 'AlreadyExists' });
    expect(server.object).toEqual(theirs);
  });

  test.each([
    ['created it', undefined, undefined],
    ['changed it', tlsSecret({}, ours), { metadata: tlsSecret({}).metadata }],
  ])(
    'liveFloor: after somebody %s meanwhile, decides by what is there before the watch delivers it',
    async (_, before, seen) => {
      const { secrets, server, written } = setUp(before, [], undefined);
      server.beforeWrite = () =>
        void (server.object = tlsSecret({}, { uid: 'theirs', resourceVersion: '11' }));
      await expect(secrets.publish(resource, source(), ours, seen, signal)).rejects.toMatchObject({
        status: 409,
      });
      expect(written.newest('ns/web-tls', before)).toMatchObject({ metadata: { uid: 'theirs' } });
    },
  );

  test('notes nothing of a Secret that went meanwhile', async () => {
    const { secrets, server, written } = setUp(tlsSecret({}, ours));
    server.beforeWrite = () => {
      server.object = undefined;
      throw refusal(409);
    };
    const seen = { metadata: tlsSecret({}).metadata };
    await expect(secrets.publish(resource, source(), ours, seen, signal)).rejects.toMatchObject({
      status: 409,
    });
    expect(written.size).toBe(0);
  });

  test('patches the version that was checked, and keeps what others added', async () => {
    const { secrets, server } = setUp(tlsSecret({ ...files, 'tls.crt': 'old' }, { labels: { theirs: 'x' } }));
    await secrets.publish(resource, source(), ours, { metadata: tlsSecret({}).metadata }, signal);
    expect(server.object).toMatchObject({
      metadata: { labels: { theirs: 'x', ...ours.labels }, annotations: ours.annotations },
      data: tlsSecret(files).data,
    });
  });

  test('does not replace a version that was not checked', async () => {
    const { secrets, server } = setUp(tlsSecret({ 'tls.crt': 'theirs' }, { resourceVersion: '11' }));
    const seen = { metadata: tlsSecret({}).metadata };
    await expect(secrets.publish(resource, source(), ours, seen, signal)).rejects.toMatchObject({
      status: 409,
      reason: 'Conflict',
    });
    expect(server.writes).toEqual([]);
  });

  test('is known before the watch delivers it', async () => {
    const { secrets, reads } = setUp(tlsSecret({}, ours));
    const { metadata } = await secrets.publish(resource, source(), ours, tlsSecret({}, ours), signal);
    const { uid: secretUID = '', resourceVersion: secretResourceVersion = '' } = metadata;
    const recorded = certificate({ status: { ...issued, secretUID, secretResourceVersion } });
    expect(await secrets.readIfChanged(recorded, signal)).toMatchObject({ state: 'unchanged', metadata });
    expect(reads()).toBe(0);
  });

  test('for a resource that has gone meanwhile leaves nothing behind', async () => {
    const { secrets, written } = setUp(tlsSecret({}, ours));
    const former = certificate();
    former.metadata.uid = 'former';
    await secrets.publish(former, source(), ours, tlsSecret({}, ours), signal);
    expect(written.size).toBe(0);
  });
});

describe('syncing a Secret', () => {
  /** What is read of a Secret that is ours. */
  async function changed(
    secrets: Pick<ReturnType<typeof setUp>['secrets'], 'read'>,
    of: TinyCertCertificate,
  ) {
    const view = await secrets.read(of, signal);
    if (view.state !== 'changed') throw new Error(`The Secret is ${view.state}.`);
    return view;
  }

  const resource = certificate({ spec: { secretDeletionPolicy: 'Delete' } });

  test('writes nothing if the Secret has it all', async () => {
    const { secrets, server } = setUp(tlsSecret(files, ours));
    const view = await changed(secrets, certificate());
    expect(await secrets.sync(certificate(), view, ours, undefined, signal)).toEqual({
      metadata: view.metadata,
    });
    expect(server.writes).toEqual([]);
  });

  test('restores labels and owner, and leaves the content alone', async () => {
    const secret = tlsSecret(files, { labels: { [MANAGED_LABEL]: 'no' } });
    const { secrets, server } = setUp(secret);
    await secrets.sync(resource, secret, ours, undefined, signal);
    expect(server.object).toMatchObject({
      metadata: { ...ours, ownerReferences: [{ name: 'web', uid: 'uid' }] },
      data: secret.data,
    });
  });

  test('writes the files of a source, in one write with the metadata', async () => {
    const { secrets, server } = setUp(tlsSecret({ ...files, 'tls.key': `${files['tls.key']}note\n` }, ours));
    const view = await changed(secrets, resource);
    expect(view).toMatchObject({ hasOutputs: false });
    const { metadata } = await secrets.sync(resource, view, ours, view.content, signal);
    expect(server.writes).toHaveLength(1);
    expect(server.object).toMatchObject({ metadata, data: tlsSecret(files).data });
    expect(await changed(secrets, resource)).toMatchObject({ hasOutputs: true, hasMetadata: true });
  });

  test('throws the conflict if the Secret changed', async () => {
    const { secrets, server } = setUp(tlsSecret(files));
    server.beforeWrite = () => {
      throw refusal(409);
    };
    const view = tlsSecret(files);
    await expect(secrets.sync(resource, view, ours, undefined, signal)).rejects.toMatchObject({
      status: 409,
    });
  });
});

test.each([
  ['unchanged', { state: 'unchanged', metadata: { name: 'web-tls' } }, true],
  [
    'changed',
    {
      state: 'changed',
      metadata: { name: 'web-tls' },
      content: undefined,
      hasOutputs: false,
      hasMetadata: true,
    },
    true,
  ],
  ['absent', { state: 'absent' }, false],
  ['foreign', { state: 'foreign', reason: 'SecretNotOwned', message: '' }, false],
] as const)('a Secret to write exists in the view %s: %s', (_, view, want) => {
  expect(present(view) !== undefined).toBe(want);
});

describe('a Secret that no watch shows', () => {
  const view = { state: 'unchanged', metadata: { name: 'web-tls' } } as const;

  test('is looked at again, the later the more often its writes have failed', () => {
    const { secrets } = setUp(undefined, [], undefined);
    const after = (failedAttempts?: number): number =>
      secrets.looksAgainIn(
        certificate({ status: { ...issued, ...(failedAttempts === undefined ? {} : { failedAttempts }) } }),
        view,
      ) ?? NaN;
    expect(Math.abs(after() - 30_000)).toBeLessThanOrEqual(3_000);
    expect(Math.abs(after(3) - 120_000)).toBeLessThanOrEqual(12_000);
    expect(Math.abs(after(20) - 600_000)).toBeLessThanOrEqual(60_000);
  });

  test('is not, once a watch shows it or if there is none', () => {
    expect(setUp(tlsSecret({}, ours)).secrets.looksAgainIn(certificate(), view)).toBeUndefined();
    const { secrets } = setUp(undefined, [], undefined);
    expect(secrets.looksAgainIn(certificate(), { state: 'absent' })).toBeUndefined();
  });

  test('is, after it has just been created', async () => {
    const { secrets } = setUp(undefined, [], undefined);
    await secrets.publish(certificate(), source(), ours, undefined, signal);
    expect(secrets.looksAgainIn(certificate(), { state: 'absent' })).toBeGreaterThan(0);
  });
});
