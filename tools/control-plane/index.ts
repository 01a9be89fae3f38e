/** The embedded control plane: real etcd and kube-apiserver on loopback, for tests, benches and development. */
export type { Binaries, BinaryOptions } from './binaries.ts';
export { ensureBinaries } from './binaries.ts';
export { cachedActionlint, ensureActionlint } from './actionlint.ts';
export { cachedHelm, ensureHelm } from './helm.ts';
export type { ControlPlane, ControlPlaneOptions, Identity } from './types.ts';
export { startControlPlane } from './control-plane.ts';
export { ControlPlaneError, explain } from './errors.ts';
