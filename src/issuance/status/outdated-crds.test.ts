import { describe, expect, test } from 'vitest';
import { refusal } from '../../../test/support/kube/stored-object.ts';
import type { ReconcileContext } from '../../kube/controller/controller.ts';
import {
  CRDS_AGAIN_MS,
  CrdsOutdated,
  holdsConditionsOnly,
  rethrowRefusal,
  toleratingOldCrds,
} from './outdated-crds.ts';
import { StatusRefused } from './refused-status.ts';

const ready = { type: 'Ready', status: 'False', reason: 'R', message: '', lastTransitionTime: '' } as const;
const issuing = { ...ready, type: 'Issuing', status: 'True' } as const;

/** What `rethrowRefusal` throws, and how often it read the CRDs. */
async function rethrown(failure: unknown, fitAfterCheck: boolean) {
  const crds = {
    fit: true,
    checks: 0,
    check: async () => void ((crds.checks += 1), (crds.fit = fitAfterCheck)),
  };
  const thrown = await rethrowRefusal(crds, failure).catch((caught: unknown) => caught);
  return { thrown, checks: crds.checks };
}

describe('a refused status write', () => {
  test.each([['patch'], ['status'], ['status.attempt.id']])(
    'about %s is blamed on the CRDs only if they lack a field',
    async (field) => {
      const error = refusal(422, [{ field }]);
      expect(await rethrown(error, false)).toMatchObject({
        thrown: { code: 'CRDsOutdated', cause: error },
        checks: 1,
      });
      expect(await rethrown(error, true)).toMatchObject({
        thrown: { code: 'StatusRefused', cause: error },
        checks: 1,
      });
    },
  );

  test('counts if any of its causes concerns the status', async () => {
    const error = refusal(422, [{ field: 'spec.secretName' }, { field: 'status.conditions' }]);
    expect((await rethrown(error, true)).thrown).toBeInstanceOf(StatusRefused);
  });

  test.each([
    ['a rule of the spec', refusal(422, [{ field: 'spec.secretName' }])],
    ['a field whose name only begins like status', refusal(422, [{ field: 'statuses' }])],
    ['no field at all', refusal(422)],
    ['its size', refusal(413)],
  ])('is never blamed on the CRDs if it is about %s', async (_, error) => {
    expect(await rethrown(error, false)).toMatchObject({
      thrown: { code: 'StatusRefused', mayPass: false, cause: error },
      checks: 0,
    });
  });

  test.each([
    ['the API server itself failed', 500],
    ['the operator lacks a right, or the API server does not know its roles yet', 403],
  ])('may pass if %s', async (_, status) => {
    expect(await rethrown(refusal(status), false)).toMatchObject({
      thrown: { code: 'StatusRefused', mayPass: true },
      checks: 0,
    });
  });

  test.each([
    ['credentials', refusal(401)],
    ['a resource that is gone', refusal(404)],
    ['a rate limit', refusal(429)],
    ['an API server that starts', refusal(503)],
    ['a timeout', refusal(504)],
    ['a connection without an answer', refusal(0)],
    ['a conflict', refusal(409)],
    ['a failure that is no answer', new Error('socket')],
  ])('stays as it is if it is about %s', async (_, error) => {
    expect(await rethrown(error, false)).toEqual({ thrown: error, checks: 0 });
  });
});

test.each([
  ['no status', undefined, true],
  ['an empty status', {}, true],
  ['conditions, also while a certificate is being obtained', { conditions: [ready, issuing] }, true],
  ['another field', { conditions: [ready], revision: 1 }, false],
])('a status with %s has conditions only: %s', (_, status, want) => {
  expect(holdsConditionsOnly(status)).toBe(want);
});

describe('a controller that tolerates old CRDs', () => {
  const errors: string[] = [];
  const context = {
    log: { error: (_: unknown, message: string) => errors.push(message) },
  } as unknown as ReconcileContext;

  test('waits for newer ones and logs it', async () => {
    const reconcile = toleratingOldCrds(() => Promise.reject(new CrdsOutdated()));
    expect(await reconcile('ns/web', context)).toEqual({ requeueAfterMs: CRDS_AGAIN_MS });
    expect(errors).toEqual(['The installed CRDs are older than the operator']);
  });

  test('passes on every other failure', async () => {
    const error = new StatusRefused('no');
    await expect(toleratingOldCrds(() => Promise.reject(error))('ns/web', context)).rejects.toBe(error);
  });
});
