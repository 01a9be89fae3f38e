import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { authority, certificate, issued, ISSUED, ref } from '../../../test/support/inputs/inputs.ts';
import { TinyCertStage, TinyCertVectors } from '../../../test/support/inputs/tinycert-step.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { nameHash, placeHash } from '../../issuance/tinycert/attempt.ts';
import { abandoned, released } from '../../issuance/tinycert/records.ts';
import { requestHash, requestOf } from '../../issuance/tinycert/request.ts';
import { type TinyCertClient, TinyCertError } from '../../tinycert/index.ts';
import { factsOf } from '../context/gather.ts';
import type { Inputs } from '../context/inputs.ts';
import { lookForLoss } from './loss-sign.ts';

const vectors = new TinyCertVectors();
afterAll(() => vectors.remove());
const vector = vectors.sign('11');

let stage: TinyCertStage;
beforeEach(() => {
  stage = new TinyCertStage({ vectors });
  stage.atCa.set(9, { vector });
});

/** A resource that was made before the certificates of the stage, by default without a certificate. */
function resource(status: object = {}): TinyCertCertificate {
  return certificate({ status });
}

/** What is known of a resource without asking anybody. */
function signOf(of: TinyCertCertificate): Inputs['lossSign'] {
  const { deps, view } = stage;
  const fakes = {
    certificateSecrets: { elderOf: () => undefined },
    observations: { of: () => undefined },
    resealPace: { forget: () => undefined },
    issuerExists: () => true,
    issuerIsDeleted: () => false,
  };
  return factsOf({ ...deps, ...fakes } as unknown as typeof deps, of, view).lossSign;
}

/** The same after everything was read that tells it. */
async function looked(of = resource()): Promise<Inputs['lossSign']> {
  const { status } = of;
  await lookForLoss(stage.work({ status, secret: { state: 'absent' } }));
  return signOf(of);
}

describe('what a resource may have lost', () => {
  test('is unknown until the list and its certificates have been read', async () => {
    expect(signOf(resource())).toEqual({ is: 'unknown' });
    expect(await looked()).toEqual({ is: 'unclaimed', certificates: [ref(9)] });
    expect(stage.lists).toBe(1);
  });

  test('costs no second list, and no second read', async () => {
    await looked();
    stage.atCa.delete(9);
    expect(await looked()).toEqual({ is: 'unclaimed', certificates: [ref(9)] });
    expect(stage.lists).toBe(1);
  });

  test('costs another list if the journal was lost after the first', async () => {
    stage = new TinyCertStage({ vectors, lacksEntriesBefore: ISSUED });
    stage.deps.lossSigns.note(authority, ISSUED - 1, [resource()], []);
    expect(signOf(resource())).toEqual({ is: 'unknown' });
    expect(await looked()).toEqual({ is: 'none' });
    expect(stage.lists).toBe(1);
  });

  test.each<[string, () => Promise<unknown> | void]>([
    [
      'another resource has',
      () => {
        stage.others = [certificate({ status: { ...issued, ...ref(9) } })];
      },
    ],
    [
      'another resource had',
      () => {
        stage.others = [certificate({ status: { ...issued, formerCertificates: [ref(9)] } })];
      },
    ],
    [
      'was given up',
      () =>
        stage.view.record('x', released(stage.view, [ref(9)], { issuer: placeHash('ca'), cause: 'Deleted' })),
    ],
    [
      'was bought again already',
      () =>
        stage.view.record(
          'x',
          released(stage.view, [ref(9)], { issuer: placeHash('ca'), cause: 'Undecided' }),
        ),
    ],
    [
      'an attempt may have bought that was given up',
      async () => {
        const request = requestOf(resource(), stage.issuer, await stage.issuer.material());
        const day = 86_400_000;
        const made = await stage.attempt({
          requestHash: requestHash(request),
          nameHash: nameHash('www.example.com'),
          since: new Date(stage.clock.now() - day).toISOString(),
          until: new Date(stage.clock.now() + day).toISOString(),
        });
        await stage.view.record('x', [abandoned(stage.view, 'other', made)]);
      },
    ],
    ['another resource may be buying', () => stage.opened({ afterId: 8 }, 'other').then(() => undefined)],
  ])('is nothing that %s', async (_, happens) => {
    await happens();
    expect(await looked()).toEqual({ is: 'none' });
  });

  test('is told although others ask for the same name below or above', async () => {
    await stage.opened({ afterId: 9 }, 'other');
    expect(await looked()).toEqual({ is: 'unclaimed', certificates: [ref(9)] });
  });

  test.each<[string, object]>([
    ['that has a certificate', issued],
    ['that had one', { formerCertificates: [ref(5)] }],
    ['that had one at another account', { formerAccounts: [{ ...ref(5) }] }],
  ])('is not asked of a resource %s', async (_, status) => {
    expect(signOf(resource(status))).toEqual({ is: 'none' });
  });

  test('is not asked if nobody is to wait for it', () => {
    stage.deps.unclaimedWaitMs = 0;
    expect(signOf(resource())).toEqual({ is: 'none' });
  });

  test('is not asked of a resource with an open attempt', async () => {
    await stage.opened();
    expect(signOf(resource())).toEqual({ is: 'none' });
  });
});

/** What the CA answers whoever fetches a certificate. */
function answering(answer: string | Error): void {
  const get = async (): Promise<string> => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  stage.account.client.getCertificate = get as unknown as TinyCertClient['getCertificate'];
}

describe('a certificate', () => {
  test.each<[string, Error]>([
    ['that the CA refuses to show', new TinyCertError('AccessDenied', { call: 'cert/get' })],
    ['that it does not have', new TinyCertError('NotFound', { call: 'cert/get' })],
  ])('%s keeps nobody from a first purchase', async (_, error) => {
    answering(error);
    expect(await looked()).toEqual({ is: 'none' });
  });

  test('that is not encoded as one keeps nobody from a first purchase', async () => {
    answering('garbage');
    expect(await looked()).toEqual({ is: 'none' });
  });

  test('that cannot be read for an outage is read later', async () => {
    const error = new TinyCertError('ConnectionLost', { call: 'cert/get' });
    answering(error);
    await expect(looked()).rejects.toThrow(TinyCertError);
    expect(signOf(resource())).toEqual({ is: 'unknown' });
  });
});
