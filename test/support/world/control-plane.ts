import { inject } from 'vitest';

/** The control plane that all integration tests share. Each test uses a namespace of its own. */
export interface SharedControlPlane {
  /** Path of the administrator's kubeconfig. */
  kubeconfig: string;
  server: string;
  /** PEM: the CA, and the administrator's certificate and key. */
  caData: string;
  adminCert: string;
  adminKey: string;
  /** Path of the kubectl binary. */
  kubectl: string;
  dataDir: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    controlPlane: SharedControlPlane;
  }
}

/** The shared control plane, started by `global-setup.ts` before the first test. */
export function controlPlane(): SharedControlPlane {
  return inject('controlPlane');
}
