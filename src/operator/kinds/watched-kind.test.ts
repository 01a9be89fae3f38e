import { expect, test } from 'vitest';
import { type Answer, LIST_AGAIN, startKinds } from '../../../test/support/kube/operator-kinds.ts';

test('a kind is unknown until its first list, and then in sync', async () => {
  const { informers, clock } = startKinds();
  expect(informers.issuers.state).toBe('unknown');
  await clock.advance(0);
  expect(informers.issuers.state).toBe('synced');
});

test('a kind that the API server does not serve is absent after the second answer of 404', async () => {
  const { informers, clock } = startKinds({ answers: { tinycertissuers: 'not installed' } });
  await clock.advance(0);
  expect(informers.issuers.state).toBe('unknown');
  await clock.advance(2000);
  expect(informers.issuers.state).toBe('absent');
  expect(informers.certificates.state).toBe('synced');
});

test.each<Answer>(['forbidden', 'unreachable', 'hanging'])(
  'a kind whose list is %s stays unknown',
  async (answer) => {
    const { informers, clock } = startKinds({ answers: { tinycertissuers: answer } });
    await clock.advance(10 * LIST_AGAIN);
    expect(informers.issuers.state).toBe('unknown');
  },
);

test('Secrets are never absent: a 404 for them does not come from an API server', async () => {
  const { informers, clock } = startKinds({ answers: { secrets: 'not installed' } });
  await clock.advance(10 * LIST_AGAIN);
  expect(informers.secrets.state).toBe('unknown');
});

test.each<[Answer, string]>([
  ['unreachable', 'absent'],
  ['forbidden', 'unknown'],
  ['served', 'synced'],
])('an absent kind whose list is %s later is %s', async (answer, state) => {
  const { informers, clock, answer: reply } = startKinds({ answers: { tinycertissuers: 'not installed' } });
  await clock.advance(LIST_AGAIN);
  expect(informers.issuers.state).toBe('absent');
  reply('tinycertissuers', answer);
  await clock.advance(LIST_AGAIN);
  expect(informers.issuers.state).toBe(state);
});

test('with several namespaces a kind is in sync once all of them have been listed, and not absent once one has', async () => {
  const { informers, clock, answer } = startKinds({
    namespaces: ['a', 'b'],
    answers: { tinycertissuers: 'not installed' },
  });
  await clock.advance(LIST_AGAIN);
  expect(informers.issuers.state).toBe('absent');
  answer('tinycertissuers', 'served');
  answer('tinycertissuers/b', 'unreachable');
  await clock.advance(LIST_AGAIN);
  expect(informers.issuers.state).toBe('unknown');
  answer('tinycertissuers/b', 'served');
  await clock.advance(LIST_AGAIN);
  expect(informers.issuers.state).toBe('synced');
});

test('a kind in sync whose CRD is deleted is missing, until it is listed again', async () => {
  const { informers, clock, answer, endWatches } = startKinds();
  await clock.advance(0);
  expect(informers.issuers.isMissing).toBe(false);

  answer('tinycertissuers', 'not installed');
  endWatches('tinycertissuers');
  await clock.advance(LIST_AGAIN);
  expect([informers.issuers.state, informers.issuers.isMissing]).toEqual(['synced', true]);

  answer('tinycertissuers', 'unreachable');
  await clock.advance(LIST_AGAIN);
  expect(informers.issuers.isMissing).toBe(true);

  answer('tinycertissuers', 'served');
  await clock.advance(LIST_AGAIN);
  expect(informers.issuers.isMissing).toBe(false);
});
