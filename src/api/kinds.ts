import type { KubeObject, ResourceType } from '../kube/objects.ts';
import type { CAcertAccountSpec } from './cacert/account-spec.ts';
import type { CAcertAccountStatus } from './cacert/account-status.ts';
import type { CAcertCertificateSpec } from './cacert/certificate-spec.ts';
import type { CAcertCertificateStatus } from './cacert/certificate-status.ts';
import type { CertificateSpec } from './tinycert/certificate-spec.ts';
import type { CertificateStatus } from './tinycert/certificate-status.ts';
import type { IssuerSpec } from './tinycert/issuer-spec.ts';
import type { IssuerStatus } from './tinycert/issuer-status.ts';
import { GROUP, VERSION } from './names.ts';

/** A certificate to obtain from TinyCert and to keep in a Secret. */
export interface TinyCertCertificate extends KubeObject {
  spec: CertificateSpec;
  status?: CertificateStatus;
}

/** A TinyCert account and one of its authorities, for certificates in the same namespace. */
export interface TinyCertIssuer extends KubeObject {
  spec: IssuerSpec;
  status?: IssuerStatus;
}

/** Like `TinyCertIssuer`, but for certificates in all namespaces. */
export interface TinyCertClusterIssuer extends KubeObject {
  spec: IssuerSpec;
  status?: IssuerStatus;
}

/** A CAcert login, for certificates in the same namespace. */
export interface CAcertAccount extends KubeObject {
  spec: CAcertAccountSpec;
  status?: CAcertAccountStatus;
}

/** A client certificate to obtain from CAcert and to keep in a Secret. */
export interface CAcertCertificate extends KubeObject {
  spec: CAcertCertificateSpec;
  status?: CAcertCertificateStatus;
}

export const certificates: ResourceType<TinyCertCertificate> = {
  group: GROUP,
  version: VERSION,
  plural: 'tinycertcertificates',
  kind: 'TinyCertCertificate',
  namespaced: true,
};

export const issuers: ResourceType<TinyCertIssuer> = {
  group: GROUP,
  version: VERSION,
  plural: 'tinycertissuers',
  kind: 'TinyCertIssuer',
  namespaced: true,
};

export const clusterIssuers: ResourceType<TinyCertClusterIssuer> = {
  group: GROUP,
  version: VERSION,
  plural: 'tinycertclusterissuers',
  kind: 'TinyCertClusterIssuer',
  namespaced: false,
};

export const cacertAccounts: ResourceType<CAcertAccount> = {
  group: GROUP,
  version: VERSION,
  plural: 'cacertaccounts',
  kind: 'CAcertAccount',
  namespaced: true,
};

export const cacertCertificates: ResourceType<CAcertCertificate> = {
  group: GROUP,
  version: VERSION,
  plural: 'cacertcertificates',
  kind: 'CAcertCertificate',
  namespaced: true,
};
