import { version } from '../../src/operator/version.ts';

/** The image's name in the chart's values and in install.yaml. The node has it under this name, so nobody has to pull it. */
export const OPERATOR_IMAGE = `ghcr.io/tinycert-operator/tinycert-operator:${version}`;
