import { describe, expect, test } from 'vitest';
import type { Stored } from '../etcd.ts';
import type { IssuerName } from '../issuers.ts';
import { Duties } from './duties.ts';
import type { Status } from './holdings.ts';
import { keyOf } from './identity.ts';
import { ref, Scene } from './verdict-scene.ts';

const PLACE = 'n/web';
const NAMES = 'web,a.web,b.web';

/** The versions of one resource. */
class Versions {
  readonly duties = new Duties();
  #at = 0;

  take(
    status: Status,
    revocation: Record<string, string> = {},
    metadata: Partial<Stored['metadata']> = {},
  ): this {
    const object: Stored = {
      metadata: { name: 'web', namespace: 'n', uid: 'u', ...metadata },
      spec: { revocation },
      status: { ...status },
    };
    this.duties.take(PLACE, object, { names: NAMES, at: (this.#at += 1) });
    return this;
  }

  end(): this {
    this.duties.take(PLACE, undefined, { names: '', at: (this.#at += 1) });
    return this;
  }

  /** Each duty in short. */
  due(): string[] {
    return this.duties.due.map(({ certificate, action, why }) => `${why}: ${action} ${certificate}`);
  }
}

const key = (id: number, issuer: IssuerName = 'plain'): string => keyOf(ref(id, issuer));
const promise = (id: number, action: 'Hold' | 'Revoke') => ({ ...ref(id), action });

describe('what is due', () => {
  test('is nothing while it is promised, and what the promise was once it is promised no more', () => {
    const versions = new Versions().take({ pendingRevocations: [promise(1, 'Hold')] });
    expect(versions.due()).toEqual([]);

    expect(versions.take({}).due()).toEqual([`promised: Hold ${key(1)}`]);
  });

  test('is what it promised at an account that it has left, also after it has left it', () => {
    const versions = new Versions()
      .take({ pendingRevocations: [promise(1, 'Revoke')] })
      .take({ formerAccounts: [{ pendingRevocations: [promise(1, 'Revoke')] }] });
    expect(versions.due()).toEqual([]);

    expect(versions.take({}).due()).toEqual([`promised: Revoke ${key(1)}`]);
  });

  test.each<[string, Record<string, string>, Status, string[]]>([
    ['without onReplace is nothing', {}, ref(2), []],
    ['with it is its hold', { onReplace: 'Hold' }, ref(2), [`replaced: Hold ${key(1)}`]],
    [
      'with it and a promise is nothing yet',
      { onReplace: 'Hold' },
      { ...ref(2), pendingRevocations: [promise(1, 'Hold')] },
      [],
    ],
    [
      'at another account is nothing while the one before is remembered',
      { onReplace: 'Hold' },
      { ...ref(1, 'far'), formerAccounts: [ref(1)] },
      [],
    ],
    [
      'at another account that took the same id is its hold',
      { onReplace: 'Hold' },
      ref(1, 'far'),
      [`replaced: Hold ${key(1)}`],
    ],
  ])('for a certificate that was replaced %s', (_, revocation, status, due) => {
    const versions = new Versions().take(ref(1), revocation).take(status, revocation);

    expect(versions.due()).toEqual(due);
  });

  test('at the end of a resource is all that it had since its deletion was requested, at every account', () => {
    const revocation = { onDelete: 'Hold' };
    const dying = { deletionTimestamp: 'now' };
    const versions = new Versions()
      .take({ ...ref(1), formerAccounts: [ref(1, 'far')] }, revocation, dying)
      .take({ ...ref(1), formerCertificates: [ref(2)] }, revocation, dying)
      .end();

    const had = [key(1), key(1, 'far'), key(2)];
    expect(versions.due()).toEqual(had.map((each) => `deleted: Hold ${each}`));
  });

  test.each([
    ['None', [`deleted: Hold ${key(2)}`]],
    ['Hold', [`deleted: Hold ${key(2)}`, `deleted: Hold ${key(1)}`]],
    ['Revoke', [`deleted: Revoke ${key(2)}`, `deleted: Revoke ${key(1)}`]],
  ])('at the end with onDelete %s is a promise too, with the stronger action', (onDelete, due) => {
    const status = { ...ref(1), pendingRevocations: [promise(2, 'Hold')] };

    expect(new Versions().take(status, { onDelete }).end().due()).toEqual(due);
  });

  test('is kept of a resource that was created again under its name', () => {
    const versions = new Versions().take(ref(1), { onDelete: 'Revoke' }).take({}, {}, { uid: 'u2' });

    expect(versions.due()).toEqual([`deleted: Revoke ${key(1)}`]);
  });
});

describe('a duty', () => {
  const due = {
    place: PLACE,
    asked: [NAMES],
    certificate: key(5001),
    by: 1_500_000,
    why: 'deleted',
  } as const;

  test.each([
    ['is not done', 'good', 'Revoke', 1],
    ['is done', 'revoked', 'Revoke', 0],
    ['of a hold is done by a revocation', 'revoked', 'Hold', 0],
    ['of a revocation is not done by a hold', 'hold', 'Revoke', 1],
    ['is left if the certificate expired only later', 'expired', 'Revoke', 1],
  ] as const)('%s', (_, status, action, missed) => {
    const scene = new Scene();
    scene.buy(scene.wish('web'), { status });
    scene.duties.push({ ...due, action });

    expect(scene.verdict().undone).toHaveLength(missed);
  });

  test('is none for a certificate that had expired by then, or that a reissue has replaced', () => {
    const scene = new Scene();
    const web = scene.wish('web');
    scene.buy(web, { status: 'expired', notAfter: 1_400 });
    scene.buy(web, { previousId: scene.buy(web) });
    scene.duties.push({ ...due, action: 'Hold' }, { ...due, certificate: key(5002), action: 'Revoke' });

    expect(scene.verdict().undone).toEqual([]);
  });

  test.each([
    ['counts as done if a person set the status back', 'near', 5001, 0],
    ['does not if the same id was changed at the other CA', 'far', 5001, 1],
    ['does not if the call had no effect', 'near', undefined, 1],
  ] as const)('%s', (_, ca, certId, missed) => {
    const scene = new Scene();
    scene.buy(scene.wish('web'));
    scene.duties.push({ ...due, action: 'Revoke' });
    const params = { cert_id: '5001', status: 'revoked' };
    const call = {
      seq: 90,
      at: 0,
      method: 'POST',
      call: 'cert/status',
      params,
      client: 0,
      body: '',
    } as const;
    scene.journal.push({ ...call, ca, ...(certId === undefined ? {} : { result: { certId } }) });

    expect(scene.verdict().undone).toHaveLength(missed);
  });

  test.each([
    ['of a resource whose status was forged cannot be known', 'web', 0],
    ['that somebody claims by a forged status is left', 'thief', 0],
    ['is not excused by a forged status of somebody who never claimed it', 'other', 1],
  ] as const)('%s', (_, forged, missed) => {
    const scene = new Scene();
    const wishes = { web: scene.wish('web'), thief: scene.wish('thief'), other: scene.wish('other') };
    scene.buy(wishes.web);
    scene.claim(wishes.thief, 5001);
    const asked = [wishes.web.names.join(',')];
    scene.duties.push({ ...due, asked, action: 'Revoke' });
    scene.forgotten.add(wishes[forged]);

    expect(scene.verdict().undone).toHaveLength(missed);
  });
});
