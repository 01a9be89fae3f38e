/** What a test, a demo or a person can do to the running server, through the library or the control URL. */
import type { ApiContext } from '../http/answer.ts';
import { createAuthority, derOf, issue, reissue, seconds, setStatus } from '../calls/issuing.ts';
import { commonOperations } from './common-operations.ts';
import type { Listener } from '../http/listener.ts';
import { checkNames } from '../x509/names.ts';
import { withOptions } from '../settings.ts';
import { type Account, type Authority, type Certificate, statusAt } from '../state/store.ts';
import type { AuthorityView, CertificateView, DevServer, ManualRequest, Stats, Subject } from '../types.ts';
import { pem } from '../x509/x509.ts';

/** The methods of a `DevServer` except `stop`. */
export type Operations = Omit<
  DevServer,
  | 'endpoint'
  | 'caFile'
  | 'caPem'
  | 'controlUrl'
  | 'authorityId'
  | 'otherAccount'
  | 'email'
  | 'passphrase'
  | 'apiKey'
  | 'stop'
>;

/** The operations on this server; `account` is the built-in one, `api` the listener that can be closed. */
export function createOperations(context: ApiContext, account: Account, api: Listener): Operations {
  const { service } = context;
  const { store } = service;
  const view = (certificate: Certificate): CertificateView => certificateView(context, certificate);
  return {
    ...commonOperations(context),

    certificates: () => [...store.certificates.values()].map(view),
    certificatePem: (id) => pem('CERTIFICATE', derOf(service, store.certificate(id))),
    authorities: () => [...store.authorities.values()].map((authority) => authorityView(context, authority)),
    addAuthority: async (preset) => (await createAuthority(service, account, preset)).id,
    deleteAuthority: (id) => {
      store.authority(id);
      store.deleteAuthority(id);
    },

    issueByHand: async (request) => view(await issueByHand(context, account, request)),
    reissueByHand: (id) => view(reissue(service, store.certificate(id), 'manual')),
    setStatusByHand: (id, status) => {
      const certificate = store.certificate(id);
      setStatus(service, certificate, status);
      return view(certificate);
    },

    expireSessions: () => service.sessions.expireAll(),
    setOptions: async (options) => {
      service.settings = withOptions(service.settings, options);
      account.passphrase = options.passphrase ?? account.passphrase;
      account.apiKey = options.apiKey ?? account.apiKey;
      store.onChange();
      await api.listen(options.listening);
    },
    counts: () => counts(context, account),
  };
}

async function issueByHand(
  context: ApiContext,
  account: Account,
  request: ManualRequest,
): Promise<Certificate> {
  const { service } = context;
  const [first] = service.store.authoritiesOf(account);
  const authority = service.store.authority(request.caId ?? first?.id ?? 0);
  const names = request.names ?? [];
  checkNames(names);
  const { C, O } = authority.subject;
  const subject: Subject = { C, O, ...request.subject, CN: request.cn };
  const { notBefore, notAfter } = request;
  return issue(service, { authority, subject, names, origin: 'manual', notBefore, notAfter });
}

function certificateView({ service }: ApiContext, certificate: Certificate): CertificateView {
  const { id, caId, subject, names, notBefore, notAfter, previousId, replacedBy, origin } = certificate;
  const { store } = service;
  return {
    id,
    caId,
    account: store.account(store.authority(caId).accountId).email,
    cn: subject.CN,
    subject,
    names,
    status: statusAt(certificate, seconds(service)),
    keyFingerprint: certificate.key.fingerprint,
    notBefore,
    notAfter,
    ...(previousId === undefined ? {} : { previousId }),
    ...(replacedBy === undefined ? {} : { replacedBy }),
    origin,
  };
}

function authorityView({ service }: ApiContext, authority: Authority): AuthorityView {
  const { id, accountId, subject, hashMethod, notBefore, notAfter, der } = authority;
  const { email } = service.store.account(accountId);
  const certificate = pem('CERTIFICATE', der);
  return { id, account: email, name: subject.O, subject, hashMethod, notBefore, notAfter, pem: certificate };
}

function counts({ service, journal, gate }: ApiContext, account: Account): Stats {
  const certificates = { good: 0, hold: 0, revoked: 0, expired: 0, obsolete: 0 };
  const own = new Set(service.store.authoritiesOf(account).map((authority) => authority.id));
  const now = seconds(service);
  for (const certificate of service.store.certificates.values()) {
    if (own.has(certificate.caId)) certificates[statusAt(certificate, now)] += 1;
  }
  return {
    calls: journal.calls,
    errors: journal.errors,
    certificates,
    sessions: service.sessions.size,
    held: gate.held,
  };
}
