import { afterAll, describe, expect, test } from 'vitest';
import {
  attempt as attempted,
  certificate,
  issued,
  openAttempt,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import { type AtCa, TinyCertStage, TinyCertVectors } from '../../../test/support/inputs/tinycert-step.ts';
import type { CertificateRef } from '../../api/tinycert/identity.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { type OpenAttempt, placeHash } from '../../issuance/tinycert/attempt.ts';
import { markerOf } from '../../issuance/tinycert/marker.ts';
import { released } from '../../issuance/tinycert/records.ts';
import { requestHash, requestOf } from '../../issuance/tinycert/request.ts';
import { withInputs } from '../context/work.ts';
import { lostPurchase } from './lost-purchase.ts';

const vectors = new TinyCertVectors();
afterAll(() => vectors.remove());
const vector = vectors.sign('11');

const marked = (uid: string): AtCa => ({
  vector,
  subject: { country: 'NL', organization: 'Example', organizationalUnit: markerOf('issuer-uid', uid) },
});

interface Given {
  /** When the journal was found missing; `never` if it was there. */
  before?: string;
  created?: string;
  attempt?: Partial<OpenAttempt>;
  isMarked?: boolean;
  status?: CertificateStatus;
  other?: CertificateStatus;
  isGivenUp?: boolean;
  /** What the inventory shows: a certificate of the resource, for its request or for this one. */
  lossSign?: ['own', requestHash?: string];
}

/** What is found of a CA that has these certificates, in a term that began without the journal. */
async function found(
  atCa: Record<number, AtCa>,
  {
    before = '2026-06-01T00:00:00Z',
    created = '2026-01-01T00:00:00Z',
    attempt,
    isMarked = true,
    status = {},
    other,
    isGivenUp = false,
    lossSign,
  }: Given = {},
): Promise<CertificateRef | undefined> {
  const issuer = isMarked ? { marksFor: 'issuer-uid' } : {};
  const lacksEntriesBefore = before === 'never' ? undefined : Date.parse(before);
  const stage = new TinyCertStage({ vectors, issuer, lacksEntriesBefore });
  for (const [id, each] of Object.entries(atCa)) stage.atCa.set(Number(id), each);
  if (other) stage.others = [certificate({ status: other })];
  for (const each of stage.others) each.metadata.uid = 'other';
  if (isGivenUp)
    await stage.view.record(
      'uid',
      released(stage.view, [ref(9)], { issuer: placeHash('ca'), cause: 'Deleted' }),
    );
  const work = stage.work({
    status,
    secret: { state: 'absent' },
    ...(attempt ? { attempt: { ...openAttempt, ...attempt } } : {}),
  });
  work.inputs.certificate.metadata.creationTimestamp = created;
  const request = requestOf(work.inputs.certificate, work.issuer, await work.issuer.material());
  const [, hash = requestHash(request)] = lossSign ?? [];
  const shown = lossSign ? ({ is: 'own', certificate: ref(9), requestHash: hash } as const) : undefined;
  return lostPurchase(shown ? withInputs(work, { lossSign: shown }) : work, request);
}

describe('what an attempt bought whose entry was lost with the journal', () => {
  test('is found by the marker of the resource, the newest first', async () => {
    expect(await found({ 9: marked('uid') })).toEqual(ref(9));
    expect(await found({ 8: marked('uid'), 9: marked('uid'), 10: marked('other') })).toEqual(ref(9));
    const before = { status: { ...issued, attemptTime: '2026-05-31T00:00:00Z' } };
    expect(await found({ 9: marked('uid') }, before)).toEqual(ref(9));
    const putBack = { isPutBack: true, attempt: { ...attempted, startTime: '2026-06-01T00:00:01Z' } };
    expect(await found({ 9: marked('uid') }, { attempt: putBack })).toEqual(ref(9));
  });

  test('is taken from the inventory if that has shown it, in every term', async () => {
    expect(await found({}, { before: 'never', lossSign: ['own'] })).toEqual(ref(9));
    expect(await found({}, { before: 'never', lossSign: ['own', 'v1:other'] })).toBeUndefined();
    expect(await found({}, { before: 'never', isMarked: false, lossSign: ['own'] })).toBeUndefined();
  });

  test.each<[string, Record<number, AtCa>, Given]>([
    ['the journal was there', { 9: marked('uid') }, { before: 'never' }],
    ['the resource is younger than that', { 9: marked('uid') }, { created: '2026-06-02T00:00:00Z' }],
    [
      'the resource has had a certificate since',
      { 9: marked('uid') },
      { status: { ...issued, attemptTime: '2026-06-01T00:00:01Z' } },
    ],
    [
      'the resource has asked for one since',
      { 9: marked('uid') },
      { attempt: { attempt: { ...attempted, startTime: '2026-06-01T00:00:01Z' } } },
    ],
    ['the issuer marks nothing', { 9: { vector } }, { isMarked: false }],
    ['it has the marker of another resource', { 9: marked('other') }, {}],
    ['it has no marker', { 9: { vector } }, {}],
    ['it has another common name', { 9: { ...marked('uid'), name: 'other.example.com' } }, {}],
    ['it is revoked', { 9: { ...marked('uid'), status: 'revoked' } }, {}],
    ['the resource has it', { 7: marked('uid') }, { status: issued }],
    ['the resource had it', { 9: marked('uid') }, { status: { ...issued, formerCertificates: [ref(9)] } }],
    ['it was given up', { 9: marked('uid') }, { isGivenUp: true }],
    ['another resource has it', { 9: marked('uid') }, { other: { ...issued, ...ref(9) } }],
  ])('is not adopted if %s', async (_, atCa, given) => {
    expect(await found(atCa, given)).toBeUndefined();
  });
});
