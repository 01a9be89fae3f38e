import type { Sealer } from '../../../src/issuance/tinycert/seal.ts';
import { hmacHex } from '../../../src/lib/hash.ts';
import { Gate } from '../../../src/account/gate/gate.ts';
import { Account } from '../../../src/account/tinycert-account.ts';
import type { CAcertAccount, TinyCertIssuer } from '../../../src/api/kinds.ts';
import { CACERT_ENDPOINT, PUBLIC_ENDPOINT } from '../../../src/api/names.ts';
import type { CAcertAccountSpec } from '../../../src/api/cacert/account-spec.ts';
import type { CAcertAccountStatus } from '../../../src/api/cacert/account-status.ts';
import type { IssuerSpec } from '../../../src/api/tinycert/issuer-spec.ts';
import type { IssuerStatus } from '../../../src/api/tinycert/issuer-status.ts';
import type { Warn } from '../../../src/issuance/status/events.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { KubeObject, ObjectRef } from '../../../src/kube/objects.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import type { TinyCertClient } from '../../../src/tinycert/index.ts';
import { account } from './inputs.ts';

const metadata = {
  namespace: 'ns',
  name: 'ca',
  uid: 'issuer-uid',
  resourceVersion: '1',
  generation: 1,
};

/** An issuer of authority "Example". Without a status it is new. */
export function issuer(
  change: { spec?: Partial<IssuerSpec>; status?: IssuerStatus; metadata?: KubeObject['metadata'] } = {},
): TinyCertIssuer {
  return {
    apiVersion: 'tinycert-operator.io/v1alpha1',
    kind: 'TinyCertIssuer',
    metadata: { ...metadata, ...change.metadata },
    spec: {
      endpoint: PUBLIC_ENDPOINT,
      credentialsSecretRef: { name: 'login' },
      authority: { name: 'Example' },
      ...change.spec,
    },
    ...(change.status ? { status: change.status } : {}),
  };
}

/** A CAcert account. Without a status it is new. */
export function cacertAccount(
  change: { spec?: Partial<CAcertAccountSpec>; status?: CAcertAccountStatus } = {},
): CAcertAccount {
  return {
    apiVersion: 'tinycert-operator.io/v1alpha1',
    kind: 'CAcertAccount',
    metadata,
    spec: {
      endpoint: CACERT_ENDPOINT,
      credentialsSecretRef: { name: 'login' },
      ...change.spec,
    },
    ...(change.status ? { status: change.status } : {}),
  };
}

/** A TinyCert account whose CA answers with what `client` has. */
export function accountOf(clock: Clock, client: Partial<TinyCertClient>): Account {
  const gate = new Gate({ limit: 2, clock, random: () => 0.5 });
  const keys = { apiKey: 'key', sealKey: 'installation' };
  return new Account({ digest: account, client: client as TinyCertClient, gate, ...keys });
}

/** An API server that notes status patches and events; the patched object is not merged, but gets a new version. */
export function statusRecorder(): {
  kube: KubeClient;
  warn: Warn;
  /** Each patch of a status, in order. */
  patches: Record<string, unknown>[];
  /** Reason and message of each event, in order. */
  events: [reason: string, message: string][];
} {
  const patches: Record<string, unknown>[] = [];
  const events: [string, string][] = [];
  const mergePatch = async (
    _type: unknown,
    ref: ObjectRef,
    patch: { status: Record<string, unknown> },
  ): Promise<KubeObject> => {
    patches.push(patch.status);
    return { metadata: { ...metadata, ...ref, resourceVersion: String(patches.length + 1) } };
  };
  return {
    kube: { mergePatch } as unknown as KubeClient,
    warn: (_, reason, message) => events.push([reason, message]),
    patches,
    events,
  };
}

/** A sealer with two keys. */
export function sealerOf({ installation = 'installation', apiKey = 'key' } = {}): Sealer {
  return {
    sealCodes: (text) => ({ installation: hmacHex(installation, text), apiKey: hmacHex(apiKey, text) }),
  };
}
