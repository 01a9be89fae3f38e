import { expect, test } from 'vitest';
import { issuer } from '../../test/support/inputs/accounts.ts';
import { clusterIssuers, issuers } from '../api/kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { type ObjectRef, refKey } from '../kube/objects.ts';
import { gather } from './gather.ts';

test.each([
  [issuers, true, 'ns/login'],
  [clusterIssuers, false, 'operator/login'],
])(
  'the Secrets of an issuer of $plural are in the namespace of the issuer or of the operator',
  async (type, namespaced, want) => {
    const read: string[] = [];
    const kube = {
      find: async (_: unknown, ref: ObjectRef) => void read.push(refKey(ref)),
    } as unknown as KubeClient;
    const inputs = await gather(
      { kube, type, clusterResourceNamespace: 'operator', allowedEndpoints: [] },
      issuer(),
      new AbortController().signal,
    );
    expect(read).toEqual([want]);
    expect(inputs.namespaced).toBe(namespaced);
  },
);
