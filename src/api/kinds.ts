import type { KubeObject, ResourceType } from '../kube/objects.ts';
import type { CertificateSpec } from './certificate-spec.ts';
import type { CertificateStatus } from './certificate-status.ts';
import type { IssuerSpec } from './issuer-spec.ts';
import type { IssuerStatus } from './issuer-status.ts';
import { GROUP, VERSION } from './names.ts';

/** One wanted certificate and its Secret. */
export interface TinyCertCertificate extends KubeObject {
  spec: CertificateSpec;
  status?: CertificateStatus;
}

/** An account and one of its authorities, for certificates of the same namespace. */
export interface TinyCertIssuer extends KubeObject {
  spec: IssuerSpec;
  status?: IssuerStatus;
}

/** As `TinyCertIssuer`, for certificates of all namespaces. */
export interface TinyCertClusterIssuer extends KubeObject {
  spec: IssuerSpec;
  status?: IssuerStatus;
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
