import type { z } from 'zod';
import type { ResourceType } from '../../kube/objects.ts';
import { CAcertAccountSpec } from '../cacert/account-spec.ts';
import { CAcertAccountStatus } from '../cacert/account-status.ts';
import { CAcertCertificateSpec } from '../cacert/certificate-spec.ts';
import { CAcertCertificateStatus } from '../cacert/certificate-status.ts';
import { CertificateSpec } from '../tinycert/certificate-spec.ts';
import { CertificateStatus } from '../tinycert/certificate-status.ts';
import { IssuerSpec } from '../tinycert/issuer-spec.ts';
import { IssuerStatus } from '../tinycert/issuer-status.ts';
import { cacertAccounts, cacertCertificates, certificates, clusterIssuers, issuers } from '../kinds.ts';
import { structuralSchema } from './structural.ts';

/** A column of `kubectl get`. Columns of priority 1 appear only with `-o wide`. */
interface Column {
  name: string;
  type: 'string' | 'integer' | 'date';
  jsonPath: string;
  description: string;
  priority?: 1;
}

interface Definition {
  resource: ResourceType;
  shortName: string;
  /** The category for `kubectl get`. Not `all`: the API conventions reserve that for built-in workloads. */
  category: 'tinycert' | 'cacert';
  description: string;
  spec: z.ZodType;
  status: z.ZodType;
  columns: readonly Column[];
}

const ready: Column = {
  name: 'Ready',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  description: 'Status of the Ready condition.',
};
const reason: Column = {
  name: 'Reason',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
  description: 'Reason of the Ready condition.',
  priority: 1,
};
const secret: Column = {
  name: 'Secret',
  type: 'string',
  jsonPath: '.spec.secretName',
  description: 'Name of the Secret that receives the certificate.',
};
const expires: Column = {
  // Not `date`: kubectl prints a date as its age, and a future one as <invalid>.
  name: 'Expires',
  type: 'string',
  jsonPath: '.status.notAfter',
  description: 'When the certificate expires.',
};
const renewal: Column = {
  name: 'Renewal',
  type: 'string',
  jsonPath: '.status.renewalTime',
  description: 'When the certificate will be renewed.',
  priority: 1,
};
const age: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the resource was created.',
};

const issuerColumns: readonly Column[] = [
  ready,
  {
    name: 'Authority',
    type: 'string',
    jsonPath: '.status.authority.name',
    description: 'Name of the authority that signs.',
  },
  {
    name: 'ID',
    type: 'integer',
    jsonPath: '.status.authority.id',
    description: 'TinyCert’s id of the authority.',
    priority: 1,
  },
  reason,
  age,
];

const definitions: readonly Definition[] = [
  {
    resource: certificates,
    shortName: 'tcc',
    category: 'tinycert',
    description: 'A certificate to obtain from TinyCert, to keep in a Secret and to renew there.',
    spec: CertificateSpec,
    status: CertificateStatus,
    columns: [
      ready,
      secret,
      {
        name: 'Issuer',
        type: 'string',
        jsonPath: '.spec.issuerRef.name',
        description: 'Name of the issuer.',
      },
      expires,
      {
        name: 'ID',
        type: 'integer',
        jsonPath: '.status.certificateId',
        description: 'TinyCert’s id of the certificate.',
        priority: 1,
      },
      renewal,
      reason,
      age,
    ],
  },
  {
    resource: issuers,
    shortName: 'tci',
    category: 'tinycert',
    description: 'A TinyCert account and one of its authorities, for certificates in the same namespace.',
    spec: IssuerSpec,
    status: IssuerStatus,
    columns: issuerColumns,
  },
  {
    resource: clusterIssuers,
    shortName: 'tcci',
    category: 'tinycert',
    description: 'A TinyCert account and one of its authorities, for certificates in all namespaces.',
    spec: IssuerSpec,
    status: IssuerStatus,
    columns: issuerColumns,
  },
  {
    resource: cacertAccounts,
    shortName: 'caa',
    category: 'cacert',
    description: 'A CAcert login, for client certificates in the same namespace.',
    spec: CAcertAccountSpec,
    status: CAcertAccountStatus,
    columns: [
      ready,
      {
        name: 'Emails',
        type: 'string',
        jsonPath: '.status.emails',
        description: 'Verified e-mail addresses of the account.',
      },
      {
        name: 'Names',
        type: 'string',
        jsonPath: '.status.names',
        description: 'Names that CAcert puts into certificates of the account.',
        priority: 1,
      },
      reason,
      age,
    ],
  },
  {
    resource: cacertCertificates,
    shortName: 'cac',
    category: 'cacert',
    description: 'A client certificate to obtain from CAcert, to keep in a Secret and to renew there.',
    spec: CAcertCertificateSpec,
    status: CAcertCertificateStatus,
    columns: [
      ready,
      secret,
      {
        name: 'Account',
        type: 'string',
        jsonPath: '.spec.accountRef.name',
        description: 'Name of the account.',
      },
      expires,
      {
        name: 'Serial',
        type: 'string',
        jsonPath: '.status.serialNumber',
        description: 'Serial number of the certificate.',
        priority: 1,
      },
      renewal,
      reason,
      age,
    ],
  },
];

/** A CustomResourceDefinition; callers read only its name. */
export interface Crd {
  metadata: { name: string };
  [field: string]: unknown;
}

/** The CustomResourceDefinitions of all kinds. */
export function crds(): Crd[] {
  return definitions.map(crd);
}

function crd({ resource, shortName, category, description, spec, status, columns }: Definition): Crd {
  const { group, version, plural, kind, namespaced } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: [category],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                spec: structuralSchema(spec, `${kind}.spec`),
                status: structuralSchema(status, `${kind}.status`),
              },
            },
          },
          subresources: { status: {} },
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
}
