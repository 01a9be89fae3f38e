import { expect, test } from 'vitest';
import { Scene } from './verdict-scene.ts';

test('calls on a person’s certificate, and a reissue that its resource never wanted, are findings', () => {
  const scene = new Scene();
  const web = scene.wish('web');
  const byHand = scene.buy(scene.wish('', 'web', { party: 'person', namespace: '' }), { origin: 'manual' });
  scene.claim(web, scene.buy(web));
  scene.buy(web, { previousId: 5002 });
  const call = { ca: 'near', at: 0, method: 'POST', client: 0, body: '', httpStatus: 200 } as const;
  scene.journal.push(
    { ...call, seq: 90, call: 'cert/status', params: { cert_id: String(byHand), status: 'revoked' } },
    { ...call, seq: 91, call: 'cert/get', params: { cert_id: String(byHand), what: 'key.dec' } },
    { ...call, seq: 92, call: 'cert/get', params: { cert_id: String(byHand), what: 'cert' } },
  );

  expect(scene.verdict().foreignTouched).toEqual([
    'cert/reissue of near 5002, which n/web never wanted',
    'cert/status of near 5001, which a person made',
    'cert/get of near 5001, which a person made',
  ]);
});

test.each([
  ['within the time of an attempt for the same counts as bought by it', 1_000_000, 'plain', 0],
  ['before it is another’s', 1_002_000, 'plain', 1],
  ['under the mark is another’s', 1_000_000, 'marked', 1],
] as const)('a certificate that a person bought %s', (_, since, issuer, findings) => {
  const scene = new Scene();
  const web = scene.wish('web', 'web', { issuer });
  const byHand = scene.buy(scene.wish('', 'web', { issuer, party: 'person', namespace: '' }), {
    origin: 'manual',
  });
  scene.attempt(web, since, since + 52_000);
  const params = { cert_id: String(byHand), what: 'key.dec' };
  scene.journal.push({
    ca: 'near',
    seq: 90,
    at: 0,
    method: 'POST',
    call: 'cert/get',
    params,
    client: 0,
    body: '',
    httpStatus: 200,
  });

  expect(scene.verdict().foreignTouched).toHaveLength(findings);
});

test.each([
  ['that it has had is none', 'heard', 0],
  ['that an attempt of it bought is none', 'bought', 0],
  ['of another account is one, although an attempt of it bought the same id', 'elsewhere', 1],
  ['that it never had is one', 'unknown', 1],
] as const)('a change of status of a certificate %s', (_, how, findings) => {
  const scene = new Scene();
  const [web, away] = [scene.wish('web'), scene.wish('web', 'web', { issuer: 'far' })];
  scene.buy(web);
  if (how === 'heard') scene.claim(web, 5001);
  if (how === 'bought') scene.attempt(web, 1_000_000, 1_052_000);
  if (how === 'elsewhere') scene.attempt(away, 1_000_000, 1_052_000);
  const params = { cert_id: '5001', status: 'revoked' };
  const call = { ca: 'near', seq: 90, at: 0, method: 'POST', client: 0, body: '', httpStatus: 200 } as const;
  scene.journal.push({ ...call, call: 'cert/status', params });

  expect(scene.verdict().foreignTouched).toHaveLength(findings);
});
