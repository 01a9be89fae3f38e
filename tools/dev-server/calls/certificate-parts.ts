import { defective, derOf } from './issuing.ts';
import { generateRsaKey, type KeyPair } from '../x509/keys.ts';
import { pkcs12 } from '../x509/pkcs12.ts';
import type { Certificate } from '../state/store.ts';
import { pem, signingRequest } from '../x509/x509.ts';
import { type Call, type CallHandler, requiredChoice, requiredInteger } from './call.ts';

const PARTS = ['cert', 'chain', 'csr', 'key.dec', 'key.enc', 'pkcs12'] as const;

type Part = (typeof PARTS)[number];

/** `cert/get`: one part of a certificate. Works for obsolete ones too; it is unknown what the real service does then. */
export const getCertificate: CallHandler = async (call) => {
  const { service, account, form, entry } = call;
  const id = requiredInteger(form, 'cert_id');
  const part = requiredChoice(form, 'what', PARTS);
  const certificate = service.store.certificate(id, account);
  entry.result = { certId: id };
  return PART[part](call, certificate);
};

const PART: Record<Part, (call: Call, certificate: Certificate) => object | Promise<object>> = {
  cert: (call, certificate) => ({ pem: pem('CERTIFICATE', chainOf(call, certificate).leaf) }),
  chain: (call, certificate) => {
    const { leaf, root } = chainOf(call, certificate);
    return { pem: pem('CERTIFICATE', leaf) + pem('CERTIFICATE', root) };
  },
  csr: ({ service }, { subject, names, key, caId }) => {
    const { hashMethod } = service.store.authority(caId);
    return { pem: pem('CERTIFICATE REQUEST', signingRequest(subject, names, key, hashMethod)) };
  },
  'key.dec': async (call, certificate) => ({ pem: (await keyOf(call, certificate)).pem }),
  'key.enc': async (call, certificate) => {
    const { privateKey } = await keyOf(call, certificate);
    const { passphrase } = call.account;
    return {
      pem: privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString(),
    };
  },
  pkcs12: async (call, certificate) => {
    const { leaf, root } = chainOf(call, certificate);
    const { privateKey } = await keyOf(call, certificate);
    const contents = {
      certificates: [leaf, root],
      privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }),
      friendlyName: certificate.subject.CN,
    };
    return { pkcs12: (await pkcs12(contents, call.account.passphrase)).toString('base64') };
  },
};

function chainOf({ service, defect }: Call, certificate: Certificate): { leaf: Buffer; root: Buffer } {
  if (defect && defect.kind !== 'wrong-key') {
    const { der, root } = defective(service, certificate, defect);
    return { leaf: der, root };
  }
  const root = certificate.foreignRoot ?? service.store.authority(certificate.caId).der;
  return { leaf: derOf(service, certificate), root };
}

async function keyOf({ defect }: Call, certificate: Certificate): Promise<KeyPair> {
  return defect?.kind === 'wrong-key' ? generateRsaKey() : certificate.key;
}
