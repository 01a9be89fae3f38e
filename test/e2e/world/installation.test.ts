import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { withEndpoint } from './installation.ts';

test('install.yaml gets one more flag and is else the same', async () => {
  const text = await readFile(new URL('../../../deploy/install.yaml', import.meta.url), 'utf8');
  const before = parseAllDocuments(text).map((each) => each.toJS() as unknown);
  const after = withEndpoint(text, 'https://192.0.2.9:1/api/v1/');
  const changed = after.filter((each, index) => JSON.stringify(each) !== JSON.stringify(before[index]));
  expect([before.length, changed]).toEqual([after.length, [expect.objectContaining({ kind: 'Deployment' })]]);
  expect(JSON.stringify(changed)).toContain('"--allowed-endpoints=https://192.0.2.9:1/api/v1/"]');
});
