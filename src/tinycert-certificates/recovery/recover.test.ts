import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  account,
  attempt,
  certificate,
  issued,
  otherAccount,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import { type Given, recoveredAt } from '../../../test/support/inputs/recovered.ts';
import { TinyCertStage, TinyCertVectors } from '../../../test/support/inputs/tinycert-step.ts';
import { certificates } from '../../api/kinds.ts';
import { attemptOwner, placeHash } from '../../issuance/tinycert/attempt.ts';
import { markerOf } from '../../issuance/tinycert/marker.ts';
import { abandoned, released } from '../../issuance/tinycert/records.ts';
import { requestHash } from '../../issuance/tinycert/request.ts';
import { ApiError } from '../../kube/errors.ts';
import type { ReportedStatus } from '../../tinycert/index.ts';
import type { Inputs } from '../context/inputs.ts';
import { recover } from './recover.ts';

const vectors = new TinyCertVectors();
afterAll(() => vectors.remove());
const one = vectors.sign('11');
const two = vectors.sign('12');
const three = vectors.sign('13');

const OWNER = attemptOwner('uid', account);
const KEY = `tinycert.entry.${OWNER}`;
const absent = { state: 'absent' } as const;
const marker = { organizationalUnit: markerOf('issuer-uid', 'uid') };
const reissue = { operation: 'Reissue', previousId: 7, afterId: 20, revision: 2 } as const;

let stage: TinyCertStage;
beforeEach(() => {
  stage = new TinyCertStage({ vectors });
});

/** A status that is wrong the first time. */
function statusOnce(wrong: ReportedStatus): { readonly status: ReportedStatus } {
  const answers = [wrong];
  return {
    get status() {
      return answers.pop() ?? 'good';
    },
  };
}

const recovered = (given?: Given) => recoveredAt(stage, given);

describe('an attempt to issue', () => {
  beforeEach(async () => {
    await stage.opened();
  });

  test('bought the one certificate that nobody else can have bought', async () => {
    stage.atCa.set(9, { vector: one });
    expect(await recovered()).toEqual({ verdict: { adopt: ref(9) }, records: [], boughtNothing: false });
  });

  test('recordAbandoned: that bought nothing is on record, since its purchase may show later', async () => {
    expect(await recovered()).toEqual({
      verdict: { again: 'New' },
      records: ['abandoned uid'],
      boughtNothing: true,
    });
    expect([...stage.view.records()]).toMatchObject([
      { afterId: attempt.afterId, resource: attempt.resource, issuer: attempt.issuer },
    ]);
  });

  test.each<[string, Parameters<TinyCertStage['atCa']['set']>[1], number]>([
    ['is not above what was known before', { vector: one }, 5],
    ['has other names', { vector: one, name: 'b.example.com' }, 9],
    ['is revoked', { vector: one, status: 'revoked' }, 9],
    ['has another subject', { vector: one, subject: { organization: 'Other' } }, 9],
  ])('bought nothing that %s', async (_, atCa, id) => {
    stage.atCa.set(9, { name: 'highest.example.com' });
    stage.atCa.set(id, atCa);
    expect(await recovered()).toMatchObject({ verdict: { again: 'New' }, boughtNothing: true });
  });

  test('bought nothing that was issued at another time', async () => {
    await stage.flush();
    const { attempt: made, id } = stage.present();
    const later = new Date(stage.clock.now() + 1_000).toISOString();
    await stage.view.open({
      owner: OWNER,
      group: 'me',
      replaces: id,
      make: () => ({ ...made, since: later }),
    });
    stage.atCa.set(9, { vector: one });
    expect(await recovered()).toMatchObject({ verdict: { again: 'New' }, boughtNothing: true });
  });

  test('may have bought any of several, which are on record with it', async () => {
    stage.atCa.set(9, { vector: one });
    stage.atCa.set(10, { vector: two });
    expect(await recovered()).toEqual({
      verdict: { again: 'New' },
      records: ['released 9 Undecided', 'released 10 Undecided', 'abandoned uid'],
      boughtNothing: false,
    });
    // And none of them is adopted later.
    stage.atCa.delete(10);
    expect(await recovered()).toMatchObject({ verdict: { again: 'New' }, boughtNothing: false });
  });

  test('did not buy what somebody gave up', async () => {
    stage.atCa.set(9, { vector: one });
    const given = released(stage.view, [ref(9)], { issuer: attempt.issuer, cause: 'Deleted' });
    await stage.view.record(OWNER, given);
    expect(await recovered()).toEqual({
      verdict: { again: 'New' },
      records: ['released 9 Deleted', 'abandoned uid'],
      boughtNothing: true,
    });
  });

  describe('may have bought what another resource asked for as well', () => {
    beforeEach(() => {
      stage.atCa.set(9, { vector: one });
    });

    const undecided = {
      verdict: { again: 'New' },
      records: ['released 9 Undecided', 'abandoned uid'],
      boughtNothing: false,
    };

    test('soleCountsEntries: by an attempt that is open', async () => {
      const { attempt: own } = stage.present();
      const make = () => ({ ...own, resource: 'other' });
      await stage.view.open({ owner: attemptOwner('other', account), group: 'me', make });
      expect(await recovered()).toEqual(undecided);
    });

    test('soleCountsEntries: by an open reissue of a certificate that nobody can look at any more', async () => {
      await stage.opened({ ...reissue, previousId: 4, requestHash: 'v1:other' }, 'other');
      expect(await recovered()).toEqual(undecided);
    });

    test.each([
      [account, undecided],
      [otherAccount, { verdict: { adopt: ref(9) }, records: [], boughtNothing: false }],
    ])(
      'soleCountsEntries: by one that this version cannot read, at the same account (%s)',
      async (of, found) => {
        const make = () => ({ of: 'a later version' }) as never;
        await stage.view.open({ owner: attemptOwner('other', of), group: 'me', make });
        expect(await recovered()).toEqual(found);
      },
    );

    test('recordAbandoned: by an attempt that was abandoned', async () => {
      const made = { ...(await stage.attempt()), resource: placeHash('ns/other') };
      await stage.view.record(OWNER, [abandoned(stage.view, 'other', made)]);
      const { verdict, records } = await recovered();
      expect(verdict).toEqual({ again: 'New' });
      expect(records).toEqual(['abandoned other', 'released 9 Undecided', 'abandoned uid']);
    });

    test('by its spec', async () => {
      const other = certificate({ status: {} });
      stage.others = [{ ...other, metadata: { ...other.metadata, name: 'other', uid: 'other' } }];
      expect(await recovered()).toEqual(undecided);
    });

    test.each<[string, Parameters<TinyCertStage['opened']>]>([
      ['for another request', [{ requestHash: 'v1:other' }, 'other']],
      [
        'that reissues one with another name',
        [{ ...reissue, previousId: 4, requestHash: 'v1:other', nameHash: 'other' }, 'other'],
      ],
      ['at another account', [{ account: otherAccount }, 'other']],
      ['at another authority', [{ authorityId: 2 }, 'other']],
    ])('but not by one %s', async (_, asked) => {
      await stage.opened(...asked);
      expect(await recovered()).toMatchObject({ verdict: { adopt: ref(9) }, records: [] });
    });

    test('but not by an earlier resource of the same name', async () => {
      await stage.view.record(OWNER, [abandoned(stage.view, 'before', await stage.attempt())]);
      expect(await recovered()).toMatchObject({ verdict: { adopt: ref(9) }, records: ['abandoned before'] });
    });
  });

  test('did not buy what the attempt of another resource is known to have bought', async () => {
    stage.atCa.set(9, { vector: one });
    await stage.opened({ requestHash: 'v1:other', certificateId: 9 }, 'other');
    expect(await recovered()).toMatchObject({
      verdict: { again: 'New' },
      records: ['released 9 Undecided', 'abandoned uid'],
    });
  });

  test('is not concluded if the resource changed meanwhile', async () => {
    const work = stage.work({ status: {}, secret: absent });
    stage.kube.put(certificates, {
      ...work.inputs.certificate,
      metadata: { ...work.inputs.certificate.metadata, resourceVersion: '2' },
    });
    const open = stage.present();
    await expect(recover(work, open)).rejects.toThrow(ApiError);
    // What was seen counts for the next decision.
    const newest = stage.deps.writtenCertificates.newest('ns/web', work.inputs.certificate);
    expect(newest?.metadata.resourceVersion).toBe('2');
  });
});

describe('ownSecret: what the resource’s own Secret holds', () => {
  beforeEach(async () => {
    await stage.opened();
    stage.atCa.set(9, { vector: one });
  });

  test('is what the attempt bought', async () => {
    expect(await recovered({ secret: vectors.inSecret(one, 9) })).toEqual({
      verdict: { adopt: ref(9) },
      records: [],
      boughtNothing: false,
    });
  });

  test('comes before what is only likely, which is put on record', async () => {
    stage.atCa.set(10, { vector: two });
    stage.atCa.set(11, { vector: three });
    const { verdict, records } = await recovered({ secret: vectors.inSecret(one, 9) });
    expect(verdict).toEqual({ adopt: ref(9) });
    expect(records).toEqual(['released 10 Undecided', 'released 11 Undecided']);
  });

  test('comes before a later one that is only likely, although that is the only one on the list', async () => {
    stage.atCa.set(9, { vector: one, status: 'obsolete' });
    stage.atCa.set(10, { vector: two });
    const { verdict, records } = await recovered({ secret: vectors.inSecret(one, 9) });
    expect(verdict).toEqual({ adopt: ref(9) });
    expect(records).toEqual(['released 10 Undecided', 'abandoned uid']);
  });

  test('leaves the attempt on record if what it bought may be another one that is not listed', async () => {
    await stage.view.record(OWNER, released(stage.view, [ref(9)], { issuer: 'i', cause: 'Deleted' }));
    expect(await recovered({ secret: vectors.inSecret(one, 9) })).toMatchObject({
      verdict: { adopt: ref(9) },
      records: ['released 9 Deleted', 'abandoned uid'],
    });
  });

  test('comes after a later one that carries the marker of the resource', async () => {
    stage = new TinyCertStage({ vectors, issuer: { marksFor: 'issuer-uid' } });
    await stage.opened({ isMarked: true });
    stage.atCa.set(9, { vector: one, subject: marker });
    stage.atCa.set(10, { vector: two, subject: marker });
    expect((await recovered({ secret: vectors.inSecret(one, 9) })).verdict).toEqual({ adopt: ref(10) });
    stage.atCa.delete(10);
    expect((await recovered({ secret: vectors.inSecret(one, 9) })).verdict).toEqual({ adopt: ref(9) });
  });

  test.each<[string, () => Inputs['secret'], Parameters<TinyCertStage['work']>[0]]>([
    ['the CA has another one under that name', () => vectors.inSecret(two, 9), {}],
    [
      'it is what the resource gave up',
      () => vectors.inSecret(one, 9),
      { status: { formerCertificates: [ref(9)] } },
    ],
    [
      'the status has it or a later one',
      () => vectors.inSecret(one, 9),
      { status: { ...issued, ...ref(9) } },
    ],
  ])('is nothing new if %s', async (_, secret, given) => {
    stage.atCa.set(10, { vector: three });
    const { verdict } = await recovered({ secret: secret(), ...given });
    expect(verdict).not.toEqual({ adopt: ref(9) });
  });
});

describe('putBackUnsure: an attempt in a journal that was put back', () => {
  /** Begins anew with a journal that was put back. */
  async function putBack(options: ConstructorParameters<typeof TinyCertStage>[0] = {}, change = {}) {
    const entry = await stage.attempt(change);
    const texts = { [KEY]: JSON.stringify({ id: 'attempt-1', group: 'me', isPutBack: true, entry }) };
    stage = new TinyCertStage({ vectors, ...options, texts });
    stage.atCa.set(9, { vector: one });
  }

  test('adopts nothing that is only likely: another resource may have bought it, which is gone since', async () => {
    await putBack();
    expect(await recovered()).toEqual({
      verdict: { again: 'New' },
      records: ['released 9 Undecided', 'abandoned uid'],
      boughtNothing: false,
    });
  });

  test('adopts what the resource’s own Secret holds', async () => {
    await putBack();
    const { verdict, records } = await recovered({ secret: vectors.inSecret(one, 9) });
    expect([verdict, records]).toEqual([{ adopt: ref(9) }, []]);
  });

  test('adopts what carries the marker of the resource', async () => {
    stage = new TinyCertStage({ vectors, issuer: { marksFor: 'issuer-uid' } });
    await putBack({ issuer: { marksFor: 'issuer-uid' } }, { isMarked: true });
    stage.atCa.set(9, { vector: one, subject: marker });
    expect((await recovered()).verdict).toEqual({ adopt: ref(9) });
  });

  test('adopts the successor of what it was to reissue', async () => {
    await putBack({}, reissue);
    stage.atCa.set(7, { vector: one, status: 'obsolete' });
    expect((await recovered({ status: issued })).verdict).toEqual({ adopt: ref(9) });
  });
});

describe('an attempt to reissue', () => {
  beforeEach(async () => {
    await stage.opened(reissue);
  });

  test('bought the newest certificate with the key of the one before', async () => {
    stage.atCa.set(7, { vector: one, status: 'obsolete' });
    stage.atCa.set(8, { vector: two });
    stage.atCa.set(9, { vector: one });
    expect(await recovered({ status: issued })).toMatchObject({ verdict: { adopt: ref(9) }, records: [] });
  });

  test.each([
    ['is asked for again while the one before can be reissued', 'good', 'Reissue'],
    ['has a new key bought instead once the one before is obsolete', 'obsolete', 'New'],
  ] as const)('recordAbandoned: that bought nothing %s, and is on record', async (_, status, again) => {
    stage.atCa.set(7, { vector: one, status });
    stage.atCa.set(8, { vector: two });
    const own = await stage.attempt();
    expect(await recovered({ status: issued })).toEqual({
      verdict: { again },
      records: ['abandoned uid'],
      boughtNothing: true,
    });
    expect([...stage.view.records()]).toMatchObject([{ requestHash: own.requestHash, afterId: 7 }]);
  });

  test.each<[string, () => void]>([
    ['obsolete', () => stage.atCa.set(7, Object.assign(statusOnce('obsolete'), { vector: one }))],
    ['gone', () => stage.notFound.push('cert/details 7')],
  ])('is asked for again if the one before is %s by a single answer', async (_, answer) => {
    stage.atCa.set(7, { vector: one });
    answer();
    expect((await recovered({ status: issued })).verdict).toEqual({ again: 'Reissue' });
  });

  test('is on record for the request of the certificate that it was to reissue', async () => {
    stage.atCa.set(7, { vector: one, subject: { organization: 'Former' } });
    await recovered({ status: issued });
    const names = { commonName: 'www.example.com', dns: ['www.example.com'], ip: [], uri: [], email: [] };
    const subject = { country: 'NL', organization: 'Former' };
    expect([...stage.view.records()]).toMatchObject([
      { requestHash: requestHash({ authorityId: 1, names, subject }) },
    ]);
  });

  test('comes before an older certificate in the resource’s own Secret', async () => {
    stage.atCa.set(7, { vector: one, status: 'obsolete' });
    stage.atCa.set(8, { vector: one });
    stage.atCa.set(9, { vector: one });
    expect((await recovered({ status: issued, secret: vectors.inSecret(one, 8) })).verdict).toEqual({
      adopt: ref(9),
    });
  });
});
