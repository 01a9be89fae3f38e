import { commonOperations } from '../control/common-operations.ts';
import type { Listener } from '../http/listener.ts';
import { pem } from '../x509/x509.ts';
import { type Member, memberOf } from './members.ts';
import { ServiceError } from '../service-error.ts';
import type { Service } from './service.ts';
import { withOptions } from './settings.ts';
import type { CAcertServer, CAcertStats } from './types.ts';

/** The methods of a `CAcertServer` except `stop`. */
export type Operations = Omit<
  CAcertServer,
  'endpoint' | 'caFile' | 'caPem' | 'ca' | 'controlUrl' | 'username' | 'password' | 'stop'
>;

/** The operations on this service; `api` is the listener that can be closed. */
export function createOperations(service: Service, api: Listener): Operations {
  const { signer } = service;
  return {
    ...commonOperations(service),

    members: () => service.members.map(withoutPassword),
    putMember: (preset) => {
      const member = memberOf(preset);
      service.members = [...service.members.filter(({ username }) => username !== member.username), member];
    },

    requests: () => signer.requests(),
    certificates: () => signer.certificates(),
    certificatePem: (id) => {
      const der = signer.certificateOf(id);
      if (!der) throw new ServiceError('NotFound', 'Nothing was signed for this request');
      return pem('CERTIFICATE', der);
    },
    sign: (id) => {
      signer.sign(id);
      return signer.certificateView(id);
    },
    revokeByHand: (id) => signer.revoke(id),

    setOptions: async (options) => {
      service.settings = withOptions(service.settings, options);
      await api.listen(options.listening);
    },
    counts: () => counts(service),
  };
}

function withoutPassword(member: Member): Omit<Member, 'password'> {
  const { password: _, ...shown } = member;
  return shown;
}

function counts({ signer, journal, gate }: Service): CAcertStats {
  const requests = { waiting: 0, signed: 0, refused: 0 };
  for (const { status } of signer.requests()) requests[status] += 1;
  return {
    calls: journal.calls,
    errors: journal.errors,
    requests,
    certificates: signer.certificates().length,
    held: gate.held,
  };
}
