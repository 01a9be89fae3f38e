import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificates, issuers } from '../../src/api/kinds.ts';
import { secrets } from '../../src/kube/objects.ts';
import { startDevServer } from '../../tools/dev-server/index.ts';
import { events } from '../support/world/crds.ts';
import { type Scenario, endure, unmet } from '../support/world/scenario.ts';
import { type Stage, openStage } from '../support/world/stage.ts';
import { aWorld } from '../support/world/world.ts';

let stage: Stage;
beforeAll(async () => {
  const twin = { country: 'NL', organization: 'Twin' };
  stage = await openStage({ authorities: [{ country: 'US', organization: 'Example Org' }, twin, twin] });
});
afterAll(() => stage.close());
beforeEach(() => {
  // Delays without their random part, so ten minutes always have the same number of tries.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

/** One write of the issuer, one of the certificate, one event; then no more. */
const WRITES = {
  'PATCH tinycertissuers/status': 1,
  'PATCH tinycertcertificates/status': 1,
  'POST events': 1,
};
const NOWHERE = 'https://127.0.0.1:1/api/v1/';
const PLAIN = 'http://127.0.0.1:1/api/v1/';

interface Row extends Scenario {
  reason: string;
  message: string | (() => string);
  calls: Record<string, number>;
  /** More than one if it states when the operator tries again. */
  issuerWrites?: number;
}

const rows: Record<string, Row> = {
  'the wrong e-mail': {
    setUp: (world) => Promise.all([world.credentials({ email: 'nobody@example.com' }), world.issuer()]),
    reason: 'AccountNotFound',
    message: 'TinyCert knows no account with this e-mail address. Check the address.',
    calls: { connect: 2 },
    issuerWrites: 2,
  },
  'the wrong passphrase': {
    setUp: (world) => Promise.all([world.credentials({ passphrase: 'wrong' }), world.issuer()]),
    reason: 'PassphraseFailure',
    message: 'TinyCert refuses the passphrase. It is the one that encrypts the keys, not the web password.',
    calls: { connect: 2 },
    issuerWrites: 2,
  },
  'the wrong API key': {
    setUp: (world) => Promise.all([world.credentials({ apiKey: 'wrong' }), world.issuer()]),
    reason: 'ApiKeyMismatch',
    message: 'TinyCert refuses the signature of the login. Check that the API key belongs to this account.',
    calls: { connect: 2 },
    issuerWrites: 2,
  },
  'an authority id that the account does not have': {
    setUp: (world) => world.account({ authority: { id: 999 } }),
    reason: 'AuthorityNotFound',
    message:
      'The account has no authority with the id 999. It has 101 "Example Org", 102 "Twin", 103 "Twin".',
    calls: { connect: 1, 'ca/list': 4 },
  },
  'an authority name that the account does not have': {
    setUp: (world) => world.account({ authority: { name: 'Nobody' } }),
    reason: 'AuthorityNotFound',
    message: 'The account has no authority named "Nobody". It has 101 "Example Org", 102 "Twin", 103 "Twin".',
    calls: { connect: 1, 'ca/list': 4 },
  },
  'an authority name that two have': {
    setUp: (world) => world.account({ authority: { name: 'Twin' } }),
    reason: 'AuthorityAmbiguous',
    message: 'The account has 2 authorities named "Twin": set authority.id to one of 102, 103.',
    calls: { connect: 1, 'ca/list': 4 },
  },
  'an endpoint where nothing listens': {
    setUp: (world) => world.account({ endpoint: NOWHERE }),
    settings: () => ({ allowedEndpoints: [NOWHERE] }),
    reason: 'ConnectionFailed',
    message:
      'No connection to the TinyCert endpoint. Check its address, DNS, the network policy and the proxy.',
    calls: {},
  },
  'an endpoint whose certificate another CA signed': {
    setUp: (world) => world.account({ caBundle: stage.dev.authorities()[0]?.pem }),
    reason: 'TlsFailure',
    message: 'The TLS connection is not trusted. Check the endpoint host name, the CA bundle and the clock.',
    calls: {},
  },
  'an endpoint whose certificate no public CA signed': {
    setUp: (world) => world.account({ caBundle: undefined }),
    reason: 'TlsFailure',
    message: 'The TLS connection is not trusted. Check the endpoint host name, the CA bundle and the clock.',
    calls: {},
  },
  'an endpoint that no administrator allowed': {
    setUp: (world) => world.account(),
    settings: () => ({ allowedEndpoints: [] }),
    reason: 'EndpointNotAllowed',
    message: () => notAllowed(stage.dev.endpoint),
    calls: {},
  },
  'an http endpoint that no administrator allowed': {
    setUp: (world) => world.account({ endpoint: PLAIN }),
    reason: 'EndpointNotAllowed',
    message: () => notAllowed(PLAIN),
    calls: {},
  },
  'credentials that lack a key': {
    setUp: (world) => Promise.all([world.credentials({ passphrase: ' ', apiKey: '' }), world.issuer()]),
    reason: 'CredentialsIncomplete',
    message: 'The Secret account lacks passphrase, apiKey: it needs the keys email, passphrase, apiKey.',
    calls: {},
  },
  'a CA bundle Secret that does not exist': {
    setUp: (world) => world.account({ caBundle: undefined, caBundleSecretRef: { name: 'bundle' } }),
    reason: 'CABundleNotFound',
    message: 'The Secret bundle must hold certificates in PEM under the key ca.crt.',
    calls: {},
  },
  'HTML where JSON should be': {
    setUp: (world) => world.account(),
    faults: [{ call: '*', times: 'forever', kind: 'html', status: 200 }],
    reason: 'ProtocolError',
    message:
      'The endpoint does not speak the TinyCert API. Check its address and any proxy in front of it. (The reply is not JSON.)',
    calls: { connect: 22 },
  },
  'the error page of a proxy': {
    setUp: (world) => world.account(),
    faults: [{ call: '*', times: 'forever', kind: 'html', status: 502 }],
    reason: 'UnexpectedStatus',
    message:
      'The endpoint answered with an HTTP error that has no TinyCert code. Check any proxy in front of it.',
    calls: { connect: 22 },
  },
  'a redirect': {
    setUp: (world) => world.account(),
    faults: [{ call: '*', times: 'forever', kind: 'redirect', location: 'https://example.com/' }],
    reason: 'ProtocolError',
    message:
      'The endpoint does not speak the TinyCert API. Check its address and any proxy in front of it. (The endpoint answered with a redirect.)',
    calls: { connect: 22 },
  },
};

function notAllowed(endpoint: string): string {
  return `The endpoint ${endpoint} is not allowed: an administrator has to start the operator with --allowed-endpoints=${endpoint}, or the issuer has to use the public one.`;
}

/** The condition of a certificate while its issuer is not ready; the issuer states the reason. */
const WAITING = unmet(
  'IssuerNotReady',
  'TinyCertIssuer ca is not ready; its own conditions say why. The operator continues by itself as soon as it is.',
);

describe('nothing is bought and nothing loops for ten minutes with', () => {
  test.each(Object.entries(rows))(
    '%s',
    async (_, { reason, message, calls, issuerWrites = 1, ...scenario }) => {
      const { outcome } = await endure(stage, scenario);

      expect(outcome).toEqual({
        issuer: [`Ready=False ${reason}: ${typeof message === 'string' ? message : message()}`],
        certificate: WAITING,
        calls,
        writes: { ...WRITES, 'PATCH tinycertissuers/status': issuerWrites },
      });
    },
  );

  test('an issuer that does not exist', async () => {
    const { outcome } = await endure(stage, { setUp: async () => undefined });

    expect(outcome).toEqual({
      issuer: [],
      certificate: unmet('IssuerNotFound', 'There is no TinyCertIssuer ca: create it, or correct issuerRef.'),
      calls: {},
      writes: { 'PATCH tinycertcertificates/status': 1, 'POST events': 1 },
    });
  });
});

describe('it recovers by itself when', () => {
  /** The calls for login and issuance once nothing is in the way. */
  const CALLS = {
    connect: 1,
    'ca/list': 1,
    'cert/list': 1,
    'ca/details': 1,
    'ca/get': 1,
    'cert/new': 1,
    'cert/get': 2,
  };

  test('missing credentials appear', async () => {
    const { world, operator, outcome } = await endure(stage, { setUp: (world) => world.issuer() });
    expect(outcome).toEqual({
      issuer: [
        `Ready=False CredentialsNotFound: The Secret ${world.namespace}/account does not exist: create it with the keys email, passphrase, apiKey.`,
      ],
      certificate: WAITING,
      calls: {},
      writes: WRITES,
    });

    await world.credentials();
    await world.settled();

    expect(await world.says(certificates, 'web')).toEqual([
      'Ready=True Ready: The Secret holds a valid certificate for this spec.',
    ]);
    expect(await world.says(issuers, 'ca')).toEqual([
      'Ready=True Ready: Certificates are issued by authority 101 "Example Org".',
    ]);
    expect(world.calls()).toEqual(CALLS);
    expect(operator.traffic.writes()['POST secrets']).toBe(1);
  });

  test('credentials are corrected', async () => {
    const { world } = await endure(stage, {
      setUp: (world) => Promise.all([world.credentials({ passphrase: 'wrong' }), world.issuer()]),
    });

    await world.patch(secrets, 'account', { stringData: { passphrase: stage.dev.passphrase } });
    await world.settled();

    expect(await world.says(certificates, 'web')).toHaveLength(1);
    // Two refused logins, then a successful one.
    expect(world.calls()).toEqual({ ...CALLS, connect: 3 });
  });

  test('the issuer is corrected', async () => {
    const { world } = await endure(stage, {
      setUp: (world) => world.account({ authority: { name: 'Twin' } }),
    });

    await world.patch(issuers, 'ca', { spec: { authority: { name: null, id: 103 } } });
    await world.settled();

    expect((await world.ready('web')).status?.authorityId).toBe(103);
    expect(world.calls()).toEqual({ ...CALLS, 'ca/list': 5 });
  });

  test('a missing issuer appears', async () => {
    const { world } = await endure(stage, { setUp: (world) => world.credentials() });

    await world.issuer();
    await world.settled();

    await world.ready('web');
    expect(world.calls()).toEqual(CALLS);
  });

  test('the endpoint is back', async () => {
    await stage.dev.setOptions({ listening: false });
    const { world } = await endure(stage, { setUp: (world) => world.account() });
    expect(await world.says(certificates, 'web')).toEqual(WAITING);

    await stage.dev.setOptions({ listening: true });
    await world.pass(60_000);

    await world.ready('web');
    expect(world.calls()).toEqual(CALLS);
  });
});

test('the operator reports again after ever longer pauses if somebody keeps undoing its report', async () => {
  const { world, operator, outcome } = await endure(stage, { setUp: () => Promise.resolve() });
  const tally = world.tally(operator);
  for (let i = 0; i < 20; i += 1) {
    await world.patch(certificates, 'web', { status: { conditions: [] } }, 'status');
    await world.settled();
  }

  expect(tally().writes['PATCH tinycertcertificates/status']).toBeLessThan(4);
  expect(await world.says(certificates, 'web')).toEqual([]);
  await world.pass(60_000);
  expect(await world.says(certificates, 'web')).toEqual(outcome.certificate);
});

test('an http endpoint on this machine is used once an administrator allows it', async () => {
  const plain = await startDevServer({ protocol: 'http', now: stage.clock.now });
  try {
    const world = await aWorld(stage);
    const { email, passphrase, apiKey, endpoint, authorityId } = plain;
    await world.credentials({ email, passphrase, apiKey });
    await world.issuer({ endpoint, caBundle: undefined, authority: { id: authorityId } });
    const operator = await world.operator({ allowedEndpoints: [endpoint] });
    await world.certificate('web');

    await world.ready('web');
    expect(plain.certificates().map(({ cn }) => cn)).toEqual(['web.example.com']);
    await operator.stop();
  } finally {
    await plain.stop();
  }
});

test('a fault of an issuer is reported in one event', async () => {
  const { world } = await endure(stage, {
    setUp: (world) => Promise.all([world.credentials({ passphrase: 'wrong' }), world.issuer()]),
  });

  const { items } = await stage.kube.listAll(events, { namespace: world.namespace });
  expect(items).toMatchObject([
    {
      type: 'Warning',
      reason: 'PassphraseFailure',
      note: 'TinyCert refuses the passphrase. It is the one that encrypts the keys, not the web password.',
      regarding: { kind: 'TinyCertIssuer', name: 'ca' },
    },
  ]);
});
