import {
  type CAcertAccount,
  type CAcertCertificate,
  type TinyCertCertificate,
  cacertAccounts,
  cacertCertificates,
  certificates,
  clusterIssuers,
  issuers,
} from '../../api/kinds.ts';
import { MANAGED_LABEL } from '../../api/names.ts';
import type { CertificateResource } from '../../issuance/certificate-kind.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type KubeObject, type ResourceType, type Secret, secrets } from '../../kube/objects.ts';
import type { Store } from '../../kube/watch/store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Issuer } from '../../tinycert-issuers/deps.ts';
import { slimSecret } from '../slim.ts';
import { type WatchedKind, watchKind } from './watched-kind.ts';

export interface InformersOptions {
  kube: KubeClient;
  /** Absent: all namespaces. */
  namespaces: readonly string[] | undefined;
  /** Whether CAcert's kinds are watched. */
  cacert: boolean;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}

/** Every kind that the operator watches. */
export interface Informers {
  /** The operator's own Secrets, as metadata. */
  secrets: WatchedKind<KubeObject>;
  certificates: WatchedKind<TinyCertCertificate>;
  issuers: WatchedKind<Issuer>;
  /** Absent if the operator works in given namespaces: a role there cannot grant a cluster-scoped kind. */
  clusterIssuers?: WatchedKind<Issuer>;
  /** Both absent if CAcert is off. */
  cacertAccounts?: WatchedKind<CAcertAccount>;
  cacertCertificates?: WatchedKind<CAcertCertificate>;
}

/** The informers of an operator with CAcert. */
export type WithCAcert = Informers & Required<Pick<Informers, 'cacertAccounts' | 'cacertCertificates'>>;

/** Whether CAcert's kinds are watched. */
export function hasCAcert(informers: Informers): informers is WithCAcert {
  return informers.cacertAccounts !== undefined && informers.cacertCertificates !== undefined;
}

/** Starts the informers, which run on every replica. A new kind gets its entry here. */
export function startInformers(options: InformersOptions): Informers {
  const { kube, namespaces, cacert, clock, log, signal } = options;
  const watch = <T extends P, P extends KubeObject>(
    type: ResourceType<T>,
    dependents: string,
    project: (object: T) => P,
    extra: { labelSelector?: string; metadataOnly?: boolean } = {},
  ): WatchedKind<P> =>
    watchKind<T, P>({
      client: kube,
      type,
      dependents,
      ...(namespaces && type.namespaced ? { namespaces } : {}),
      ...extra,
      project,
      clock,
      log,
      signal,
    });
  const whole = <T>(object: T): T => object;
  return {
    secrets: watch<Secret, KubeObject>(secrets, 'All resources', slimSecret, {
      labelSelector: `${MANAGED_LABEL}=true`,
      metadataOnly: true,
    }),
    certificates: watch(
      certificates,
      'TinyCertCertificates, TinyCertIssuers and TinyCertClusterIssuers',
      whole,
    ),
    issuers: watch<Issuer, Issuer>(issuers, 'TinyCertIssuers and the certificates that name one', whole),
    ...(namespaces
      ? {}
      : {
          clusterIssuers: watch<Issuer, Issuer>(
            clusterIssuers,
            'TinyCertClusterIssuers and the certificates that name one',
            whole,
          ),
        }),
    ...(cacert
      ? {
          cacertAccounts: watch(cacertAccounts, 'CAcertAccounts and CAcertCertificates', whole),
          cacertCertificates: watch(cacertCertificates, 'CAcertCertificates', whole),
        }
      : {}),
  };
}

/** A kind of certificates, of whichever CA. */
export type AnyCertificates = AnyKind & { store: Pick<Store<CertificateResource>, 'values'> };

/** The kinds of one CA. */
export interface CaKinds {
  certificates: AnyCertificates;
  /** The certificates need one object of one of these. */
  issuers: readonly AnyKind[];
}

/** The kinds of each CA. A new CA gets its entry here. */
export function kindsByCa(informers: Informers): CaKinds[] {
  const { certificates, issuers, clusterIssuers } = informers;
  return [
    { certificates, issuers: clusterIssuers ? [issuers, clusterIssuers] : [issuers] },
    ...(hasCAcert(informers)
      ? [{ certificates: informers.cacertCertificates, issuers: [informers.cacertAccounts] }]
      : []),
  ];
}

/** The other kinds of certificates, which may name the same Secrets. */
export function otherCertificates(informers: Informers, own: AnyCertificates): AnyCertificates[] {
  return kindsByCa(informers)
    .map(({ certificates }) => certificates)
    .filter((each) => each !== own);
}

/** A watched kind, whatever its objects are. */
export type AnyKind = Pick<
  WatchedKind<KubeObject>,
  'type' | 'dependents' | 'state' | 'isMissing' | 'subscribe' | 'done'
>;

/** The informers that run. */
export function allKinds(informers: Informers): AnyKind[] {
  return Object.values(informers);
}
