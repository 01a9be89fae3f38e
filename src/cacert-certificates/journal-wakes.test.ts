import { expect, test } from 'vitest';
import { certificate } from '../../test/support/inputs/cacert-inputs.ts';
import { CAcertStage } from '../../test/support/inputs/cacert-step.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { CAcertCertificate } from '../api/kinds.ts';
import { cacertCertificates } from '../api/kinds.ts';
import { NameClaims } from '../issuance/secret/name-claims.ts';
import { LastWritten } from '../issuance/status/last-written.ts';
import { FLUSH_MS } from '../journal/term.ts';
import { WorkQueue } from '../kube/controller/queue.ts';
import type { KubeObject } from '../kube/objects.ts';
import { Store } from '../kube/watch/store.ts';
import { silentLog } from '../lib/log.ts';
import { reconciler, wakeByUid, wire } from './controller.ts';
import type { Deps } from './deps.ts';

/** The controller over a stage, with one resource that the watch has shown. */
function controllerOn(stage: CAcertStage) {
  const certificates = new Store<CAcertCertificate>();
  const part = certificates.openPart();
  const { view, clock } = stage;
  const deps = {
    ...stage.deps,
    certificates,
    written: new LastWritten<CAcertCertificate>({ clock }),
    secrets: new Store<KubeObject>(),
    writtenSecrets: new LastWritten<KubeObject>({ clock }),
    nameClaims: new NameClaims(),
    accountExists: () => true,
    gates: { begin: () => () => undefined, forget: () => undefined } as unknown as Deps['gates'],
    atRest: { note: () => undefined, forget: () => undefined } as unknown as Deps['atRest'],
    crds: { fit: true } as Deps['crds'],
    journal: { view, viewFor: () => view } as unknown as Deps['journal'],
  };
  const queue = new WorkQueue({ name: 'cacertcertificate', clock: new VirtualClock() });
  const added: string[] = [];
  queue.add = (key) => added.push(key);
  wire(deps, queue);
  const object = certificate({ status: {} });
  stage.kube.put(cacertCertificates, object);
  part.apply({ key: 'ns/mail', uid: 'uid', resourceVersion: '1', object });
  added.splice(0);
  return { deps, queue, added, remove: () => part.delete('ns/mail') };
}

test('a deleted resource leaves neither entry nor note, and an event tells that CAcert was asked', async () => {
  const stage = new CAcertStage();
  await stage.opened();
  const { deps, remove } = controllerOn(stage);
  remove();
  await stage.clock.advance(FLUSH_MS);
  expect(stage.journal.entryKeys).toEqual([]);
  expect(deps.attempts.size).toBe(0);
  expect(stage.events).toEqual(['IssuanceUncertain']);
});

test('one without an open attempt has no such event', () => {
  const stage = new CAcertStage();
  controllerOn(stage).remove();
  expect(stage.events).toEqual([]);
});

test('the journal wakes a resource by its uid, and drops what it holds of one that is gone', async () => {
  const stage = new CAcertStage();
  await stage.opened();
  const { deps, queue, added } = controllerOn(stage);
  wakeByUid(deps, queue, 'uid');
  expect(added).toEqual(['ns/mail']);
  await stage.view.open({ owner: 'gone', group: 'g', make: () => ({}) as never });
  wakeByUid(deps, queue, 'gone');
  await stage.clock.advance(FLUSH_MS);
  expect(stage.journal.entryKeys).toEqual(['cacert.entry.uid']);
});

test('a reconcile whose journal was changed meanwhile sends nothing and waits for the journal', async () => {
  const stage = new CAcertStage();
  let isSent = false;
  stage.answer = () => {
    isSent = true;
    return 'signed';
  };
  const { deps } = controllerOn(stage);
  stage.journal.change({ other: 'x' });
  const { signal } = new AbortController();
  expect(await reconciler(deps)('ns/mail', { signal, log: silentLog } as never)).not.toHaveProperty(
    'requeueAfterMs',
  );
  expect(isSent).toBe(false);
});

test('what CAcert answers after the resource was deleted is remembered by nobody', async () => {
  const stage = new CAcertStage();
  const { deps, remove } = controllerOn(stage);
  stage.answer = () => {
    remove();
    return 'signed';
  };
  const { signal } = new AbortController();
  await reconciler(deps)('ns/mail', { signal, log: silentLog } as never);
  expect(deps.attempts.size).toBe(0);
  await stage.clock.advance(FLUSH_MS);
  expect(stage.journal.entryKeys).toEqual([]);
});
