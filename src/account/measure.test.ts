import { expect, test } from 'vitest';
import { closeAfterEach } from '../http/test-client.ts';
import { reply } from '../http/test-server.ts';
import { createMetrics } from '../metrics/registry.ts';
import { connectTo, refuse, serve } from '../tinycert/test-client.ts';
import { measure } from './measure.ts';

closeAfterEach();

test('each request is counted by its outcome, including the logins that no caller asked for', async () => {
  let asked = 0;
  const server = await serve((request) => {
    asked += 1;
    if (asked === 2) refuse(request, 403, 'InvalidToken');
    else if (asked === 4) refuse(request, 404, 'NotFound');
    else reply(request, []);
  });
  const { registry, tinycert } = createMetrics({ process: false });
  const client = connectTo(server.endpoint, { onRequest: measure(tinycert) });
  await client.listAuthorities();
  await client.listAuthorities();
  await expect(client.listAuthorities()).rejects.toMatchObject({ code: 'NotFound' });
  const beforeSend = (): void => {
    throw new Error('too late');
  };
  await expect(client.reissueCertificate(7, { beforeSend })).rejects.toThrow('too late');

  const lines = (await registry.metrics()).split('\n');
  expect(lines.filter((line) => line.startsWith('tinycert_client_requests_total{')).sort()).toEqual([
    'tinycert_client_requests_total{call="ca/list",code="200"} 2',
    'tinycert_client_requests_total{call="ca/list",code="InvalidToken"} 1',
    'tinycert_client_requests_total{call="ca/list",code="NotFound"} 1',
    'tinycert_client_requests_total{call="cert/reissue",code="NotSent"} 1',
    'tinycert_client_requests_total{call="connect",code="200"} 2',
  ]);
});
