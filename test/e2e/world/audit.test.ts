import { expect, test } from 'vitest';
import { auditEvents } from './audit.ts';

test('an event says who did what to which object, and an unfinished line is left out', () => {
  const log = `${JSON.stringify({
    verb: 'delete',
    user: { username: 'jane' },
    objectRef: { resource: 'secrets', namespace: 'shop', name: 'web-tls' },
    responseStatus: { code: 200 },
  })}
${JSON.stringify({
  verb: 'patch',
  user: { username: 'operator' },
  objectRef: { resource: 'tinycertcertificates', subresource: 'status', apiGroup: 'tinycert-operator.io' },
  responseStatus: { code: 403 },
})}
{"verb": "ge`;
  expect(auditEvents(log)).toEqual([
    { verb: 'delete', user: 'jane', resource: 'secrets', namespace: 'shop', name: 'web-tls', code: 200 },
    {
      verb: 'patch',
      user: 'operator',
      resource: 'tinycert-operator.io/tinycertcertificates/status',
      namespace: '',
      name: '',
      code: 403,
    },
  ]);
});
