/**
 * What is used of client-node, as a module of its own to import when it is needed: of a package that is imported dynamically the bundle
 * keeps everything, and that is 15 MB of API classes here.
 */
export { KubeConfig } from '@kubernetes/client-node';
