import { describe, expect, onTestFinished, test } from 'vitest';
import { type Answer, LIST_AGAIN, startKinds } from '../../test/support/kube/operator-kinds.ts';
import { JournalApi } from '../../test/support/kube/journal-api.ts';
import { cacertKind } from '../issuance/cacert/kind.ts';
import { quietAfter } from '../issuance/attempt/timing.ts';
import { tinycertKind } from '../issuance/tinycert/kind.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { silentLog } from '../lib/log.ts';
import { JOURNAL_NAME, operatorJournal, RECORDS_NAME } from './journal.ts';

/** The kinds whose attempts are in the journal. */
const PLURALS = ['cacertcertificates', 'tinycertcertificates'];
/** That of the slowest CA. */
const QUIET_MS = Math.max(quietAfter(cacertKind.timing), quietAfter(tinycertKind.timing));

/** An operator that leads, with these objects of a kind at the API server, which its watch has or has not shown yet. */
function leading(
  plural: string,
  objects: readonly KubeObject[],
  options: { answer?: Answer; isShown?: boolean } = {},
) {
  const { answer = 'served', isShown = true } = options;
  const kinds = startKinds({ answers: { [plural]: 'unreachable' } });
  // The informers list in the moment in which they start, and then again.
  kinds.answer(plural, answer, isShown ? objects : []);
  const api = new JournalApi({ name: JOURNAL_NAME, recordsName: RECORDS_NAME });
  const kube: KubeClient = Object.assign(kinds.kube, api.client());
  const { journal, prepare } = operatorJournal({
    kube,
    clock: kinds.clock,
    log: silentLog,
    holder: 'us',
    leads: () => true,
    lease: () => undefined,
    namespace: 'operator',
    namespaces: undefined,
    informers: kinds.informers,
  });
  const section = journal.section<object, never>({
    name: 'any',
    entry: (value) => value as object,
    record: () => undefined,
    wake: () => undefined,
  });
  const stop = new AbortController();
  const start = async (): Promise<void> => {
    await kinds.clock.advance(LIST_AGAIN);
    kinds.answer(plural, answer, objects);
    const running = journal.run(prepare, stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await running;
    });
    await kinds.clock.advance(1000);
  };
  return { ...kinds, api, section, start };
}

const resource = (status?: object): KubeObject => ({
  metadata: { namespace: 'ns', name: 'a', uid: 'a', resourceVersion: '1' },
  ...(status ? { status } : {}),
});

describe.each(PLURALS)('with %s', (plural) => {
  test('the first operator of an installation makes the journal and does not wait', async () => {
    const { start, section, api } = leading(plural, [resource()]);
    await start();
    expect(section.view).toBeDefined();
    expect(api.secret).toMatchObject({
      type: 'tinycert-operator.io/journal',
      metadata: {
        namespace: 'operator',
        name: JOURNAL_NAME,
        labels: { 'tinycert-operator.io/journal': 'true' },
      },
    });
    await section.view?.record('somebody', [{ name: 'a', record: {} }]);
    expect(Object.keys(api.recordData)).toHaveLength(1);
  });

  test('one that finds resources with a status and no journal waits until no earlier request can act', async () => {
    const { start, section, clock } = leading(plural, [resource({})]);
    await start();
    await clock.advance(QUIET_MS - 2000);
    expect(section.view).toBeUndefined();
    await clock.advance(2000);
    expect(section.view).toBeDefined();
  });

  test('nothing is decided before the cache has caught up with a list made after the takeover', async () => {
    const { start, section, clock, api } = leading(plural, [resource()], { isShown: false });
    await start();
    expect(api.secret).toBeDefined();
    expect(section.view).toBeUndefined();
    // The watch stays behind, so the list is made again.
    await clock.advance(120_000);
    expect(section.view).toBeUndefined();
  });

  test('a kind that is not installed does not keep the journal from being taken over', async () => {
    const { start, section } = leading(plural, [], { answer: 'not installed' });
    await start();
    expect(section.view).toBeDefined();
  });
});
