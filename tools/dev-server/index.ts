export { startDevServer } from './server.ts';
export type * from './types.ts';
