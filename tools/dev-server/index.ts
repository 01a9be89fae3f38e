export { startCAcertServer } from './cacert/server.ts';
export type * from './cacert/types.ts';
export { startDevServer } from './server.ts';
export type * from './types.ts';
