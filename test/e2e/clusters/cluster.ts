import type { Outcome } from '../../../tools/node/run.ts';

/** A running cluster of one node, and how to look into the node. */
export interface Cluster {
  readonly kind: 'kind' | 'node';
  readonly kubeconfig: string;
  /** Where the ports of Services of the type NodePort are. */
  readonly nodeAddress: string;
  /** This process as Pods reach it. */
  readonly hostAddress: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Runs a program on the node. */
  onNode(program: string, args: readonly string[]): Promise<Outcome>;
  /** Runs containerd's client on the node, and returns its output. */
  ctr(args: readonly string[]): Promise<string>;
  /** Makes an image known to the node. */
  load(archive: string): Promise<void>;
  /** The audit log of the API server: one JSON document a line. */
  auditLog(): Promise<string>;
  /** Resolves with the reason if the cluster ends by itself. */
  readonly died: Promise<Error>;
}
