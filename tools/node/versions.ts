/** The pinned versions of what a node needs beside Kubernetes. `modules/` pins the same versions for Go. */

export const CONTAINERD_VERSION = 'v2.4.2';
export const TRAEFIK_VERSION = 'v3.6.12';
/** Our own, so it changes only with its source in `modules/pause`. */
export const PAUSE_VERSION = 'v1';

/** The image of each Pod's first process. */
export const PAUSE_IMAGE = `localhost/pause:${PAUSE_VERSION}`;
export const TRAEFIK_IMAGE = `localhost/traefik:${TRAEFIK_VERSION}`;
