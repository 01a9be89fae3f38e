import type { z } from 'zod';
import type { ResourceType } from '../../kube/objects.ts';
import { CertificateSpec } from '../certificate-spec.ts';
import { CertificateStatus } from '../certificate-status.ts';
import { IssuerSpec } from '../issuer-spec.ts';
import { IssuerStatus } from '../issuer-status.ts';
import { certificates, clusterIssuers, issuers } from '../kinds.ts';
import { structuralSchema } from './structural.ts';

/** A column of `kubectl get`; those of priority 1 show with `-o wide`. */
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
    description: 'TinyCert’s number of the authority.',
    priority: 1,
  },
  reason,
  age,
];

const definitions: readonly Definition[] = [
  {
    resource: certificates,
    shortName: 'tcc',
    description: 'A certificate that is wanted from TinyCert, and the Secret that it is kept in and renewed.',
    spec: CertificateSpec,
    status: CertificateStatus,
    columns: [
      ready,
      {
        name: 'Secret',
        type: 'string',
        jsonPath: '.spec.secretName',
        description: 'Name of the Secret that receives the certificate.',
      },
      {
        name: 'Issuer',
        type: 'string',
        jsonPath: '.spec.issuerRef.name',
        description: 'Name of the issuer.',
      },
      {
        // Not `date`: that prints a time ago, and <invalid> for what is to come.
        name: 'Expires',
        type: 'string',
        jsonPath: '.status.notAfter',
        description: 'When the certificate expires.',
      },
      {
        name: 'ID',
        type: 'integer',
        jsonPath: '.status.certificateId',
        description: 'TinyCert’s id of the certificate.',
        priority: 1,
      },
      {
        name: 'Renewal',
        type: 'string',
        jsonPath: '.status.renewalTime',
        description: 'When the certificate will be renewed.',
        priority: 1,
      },
      reason,
      age,
    ],
  },
  {
    resource: issuers,
    shortName: 'tci',
    description: 'A TinyCert account and one of its authorities, for certificates of the same namespace.',
    spec: IssuerSpec,
    status: IssuerStatus,
    columns: issuerColumns,
  },
  {
    resource: clusterIssuers,
    shortName: 'tcci',
    description: 'A TinyCert account and one of its authorities, for certificates of all namespaces.',
    spec: IssuerSpec,
    status: IssuerStatus,
    columns: issuerColumns,
  },
];

/** A CustomResourceDefinition, as far as others look into it. */
export interface Crd {
  metadata: { name: string };
  [field: string]: unknown;
}

/** The CustomResourceDefinitions of all kinds. */
export function crds(): Crd[] {
  return definitions.map(crd);
}

function crd({ resource, shortName, description, spec, status, columns }: Definition): Crd {
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
        // Not `all`: the API conventions keep that category for the built-in workloads.
        categories: ['tinycert'],
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
