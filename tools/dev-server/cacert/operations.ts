import type { Listener } from '../listener.ts';
import { pem } from '../x509.ts';
import { type Member, memberOf } from './members.ts';
import { ServiceError } from '../service-error.ts';
import type { Service } from './service.ts';
import { withOptions } from './settings.ts';
import type { CAcertServer, CAcertStats } from './types.ts';

/** The methods of a `CAcertServer` but its end. */
export type Operations = Omit<
  CAcertServer,
  'endpoint' | 'caFile' | 'caPem' | 'ca' | 'controlUrl' | 'username' | 'password' | 'stop'
>;

/** The operations on this service; `api` is the listener that can be closed. */
export function createOperations(service: Service, api: Listener): Operations {
  const { journal, faults, gate, signer } = service;
  return {
    members: () => service.members.map(withoutPassword),
    putMember: (preset) => {
      const member = memberOf(preset);
      service.members = [...service.members.filter(({ username }) => username !== member.username), member];
    },
    journal: (since = 0) => journal.since(since),
    clearJournal: () => journal.clear(),
    waitForCall: (matches, signal) => journal.wait(matches, signal),

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

    addFault: (fault) => faults.add(fault),
    faults: () => faults.views(),
    clearFaults: () => faults.clear(),
    release: () => gate.release(),
    setOptions: async (options) => {
      service.settings = withOptions(service.settings, options);
      if (options.listening === true) await api.open();
      if (options.listening === false) await api.close();
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
