import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nodeProblem } from './node-version.ts';

const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };

test.each(['24.11.0', '24.21.0', '25.0.0', '100.1.0'])('Node %s runs the operator', (version) => {
  expect(nodeProblem(version)).toBeUndefined();
});

test.each(['20.17.0', '22.22.3', '24.10.9', '8.0.0'])('Node %s is refused, with what to do', (version) => {
  expect(nodeProblem(version)).toBe(
    `tinycert-operator needs Node ${engines.node.slice(2)} or later, and this is Node ${version}: in a checkout run npm run operator -- FLAGS, which uses the Node that npm ci has installed.`,
  );
});
