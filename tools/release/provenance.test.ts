import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type BuildRecord, provenance, sums } from './provenance.ts';

const RECORD: BuildRecord = {
  facts: { version: '1.2.3', revision: 'a'.repeat(40), created: new Date(1_700_000_000_000) },
  base: `example.org/base@sha256:${'b'.repeat(64)}`,
  builder: 'example.org/builder:1',
  tools: { node: '24.0.0' },
  startedOn: new Date(0),
  finishedOn: new Date(1000),
};

interface Statement {
  subject: unknown;
  predicate: { buildDefinition: { resolvedDependencies: unknown[] } };
}

function statement(record: Partial<BuildRecord> = {}): Statement {
  return provenance([{ name: 'a.tgz', sha256: 'c'.repeat(64) }], { ...RECORD, ...record }) as Statement;
}

test('the sums are what sha256sum checks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sums-'));
  writeFileSync(join(folder, 'a'), 'text');
  const sha256 = createHash('sha256').update('text').digest('hex');
  writeFileSync(join(folder, 'SHA256SUMS'), sums([{ name: 'a', sha256 }]));
  const output = execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder });
  expect(output.toString()).toBe('a: OK\n');
  rmSync(folder, { recursive: true });
});

test('the statement is about each file, and names the commit and the base images', () => {
  const { subject, predicate } = statement();
  expect(subject).toEqual([{ name: 'a.tgz', digest: { sha256: 'c'.repeat(64) } }]);
  expect(predicate.buildDefinition.resolvedDependencies).toEqual([
    { uri: expect.stringMatching(/^git\+https:/) as string, digest: { gitCommit: 'a'.repeat(40) } },
    { uri: `oci://${RECORD.base}`, digest: { sha256: 'b'.repeat(64) } },
    { uri: 'oci://example.org/builder:1' },
  ]);
});

test('a checkout with changes is no commit', () => {
  const facts = { ...RECORD.facts, revision: `${'a'.repeat(40)}-dirty` };
  const [source] = statement({ facts }).predicate.buildDefinition.resolvedDependencies;
  expect(source).not.toHaveProperty('digest');
});
