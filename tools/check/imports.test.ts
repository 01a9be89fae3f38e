import { expect, test } from 'vitest';
import { forbiddenImports } from './imports.ts';

function check(file: string, source: string): string[] {
  return forbiddenImports([file], () => source);
}

test.each([
  ['a lower layer', 'src/tinycert-issuers/act.ts', `import { x } from '../tinycert/index.ts';`],
  [
    'a lower sub-folder',
    'src/tinycert-certificates/issue/issue.ts',
    `import { x } from '../decide/plan.ts';`,
  ],
  ['a sub-folder from its parent', 'src/kube/client.ts', `import { x } from './transport/transport.ts';`],
  ['its own folder', 'src/kube/controller/queue.ts', `import { x } from './store.ts';`],
  [
    'a test support file from a test',
    'src/kube/controller/queue.test.ts',
    `import { x } from '../../../test/support/virtual-clock.ts';`,
  ],
  ['one file that the table names', 'src/api/kinds.ts', `import type { X } from '../kube/objects.ts';`],
  ['anything from a tool', 'tools/demo/main.ts', `import { x } from '../../src/kube/client.ts';`],
])('an import of %s is allowed', (_, file, source) => {
  expect(check(file, source)).toEqual([]);
});

test.each([
  ['an upper layer', 'src/kube/controller/queue.ts', `import { x } from '../../issuance/act.ts';`],
  [
    'an upper sub-folder',
    'src/tinycert-certificates/decide/plan.ts',
    `import { x } from '../issue/issue.ts';`,
  ],
  [
    'one CA from what all CAs share',
    'src/issuance/secret/metadata.ts',
    `import { x } from '../tinycert/kind.ts';`,
  ],
  [
    'the root of a folder from its sub-folder',
    'src/tinycert-certificates/decide/plan.ts',
    `import { x } from '../act.ts';`,
  ],
  ['an upper layer over several lines', 'src/lib/hash.ts', `import {\n  x,\n} from '../kube/store.ts';`],
  ['an upper layer, lazily', 'src/lib/hash.ts', `const x = await import('../kube/store.ts');`],
  ['another file than the one named', 'src/api/kinds.ts', `import { x } from '../kube/client.ts';`],
  ['a tool', 'src/main.ts', `import { x } from '../tools/demo/main.ts';`],
  [
    'test support from production code',
    'src/kube/controller/queue.ts',
    `import { x } from '../../../test/support/virtual-clock.ts';`,
  ],
  ['a socket from pure code', 'src/issuance/act.ts', `import { request } from 'undici';`],
  [
    'a package kept behind one file',
    'src/kube/client.ts',
    `import { KubeConfig } from '@kubernetes/client-node';`,
  ],
  ['anything from a folder without a row', 'src/elsewhere/a.ts', `import { x } from '../lib/hash.ts';`],
])('an import of %s is refused', (_, file, source) => {
  expect(check(file, source)).toHaveLength(1);
});
