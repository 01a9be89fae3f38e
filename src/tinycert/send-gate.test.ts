import { expect, describe, test } from 'vitest';
import { closeAfterEach, serve as serveAll } from '../http/test-client.ts';
import { makeTls, reply, type Responder, type TestServer } from '../http/test-server.ts';
import { connectTo, withLogin } from './test-client.ts';
import type { TinyCertClient } from './types.ts';

closeAfterEach();

const tls = makeTls('IP:127.0.0.1');

async function start(respond: Responder): Promise<{ server: TestServer; client: TinyCertClient }> {
  const server = await serveAll(respond, tls);
  return { server, client: connectTo(server.endpoint, { ca: tls.ca }) };
}

describe('the send gate', () => {
  test('runs after the login, and only for the call', async () => {
    const { server, client } = await start(withLogin((request) => reply(request, { cert_id: 7 })));
    const seen: string[][] = [];

    await client.createCertificate(newCertificate, { beforeSend: () => seen.push(server.calls) });

    expect(seen).toEqual([['connect']]);
    expect(server.calls).toEqual(['connect', 'cert/new']);
  });

  test('runs again before a call is repeated with a new session', async () => {
    let refused = false;
    const { server, client } = await start(
      withLogin((request) => {
        if (refused) reply(request, { cert_id: 7 });
        else reply(request, { code: 'InvalidToken', text: '' }, { status: 403 });
        refused = true;
      }),
    );
    let asked = 0;

    await client.createCertificate(newCertificate, { beforeSend: () => (asked += 1) });

    expect(asked).toBe(2);
    expect(server.calls).toEqual(['connect', 'cert/new', 'connect', 'cert/new']);
  });
});

const newCertificate = {
  authorityId: 1,
  subject: { commonName: 'www.example.com', country: 'NL', organization: 'ACME' },
};
