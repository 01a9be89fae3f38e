import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { BASE, BUILDER, factArgs, factsOf, labelsOf, REPOSITORY } from './facts.ts';

const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
const FACTS = { version: '1.2.3', revision: 'abc', created: new Date('2026-01-02T03:04:05Z') };

test('the name is the one that the chart pulls', () => {
  const values = readFileSync(new URL('../../deploy/helm/values.yaml', import.meta.url), 'utf8');
  const { image } = parse(values) as { image: { registry: string; repository: string } };
  expect(`${image.registry}/${image.repository}`).toBe(REPOSITORY);
});

test('the base images are those of the Dockerfile', () => {
  expect(dockerfile).toContain(`\nARG BASE=${BASE}\n`);
  expect(dockerfile).toContain(`\nARG BUILDER=${BUILDER}\n`);
});

test('the Dockerfile sets every label that is checked, from the arguments that are given', () => {
  const given: Record<string, string> = { ...factArgs(FACTS), BASE: 'example.org/base' };
  const set = Object.fromEntries(
    [...dockerfile.matchAll(/(org\.opencontainers\.image\.[\w.]+)="([^"]*)"/g)].map(
      ([, name, value = '']) => [
        name,
        value.replace(/^\$(\w+)$/, (_, argument: string) => given[argument] ?? ''),
      ],
    ),
  );
  expect(set).toEqual(labelsOf(FACTS, 'example.org/base'));
  expect(set['org.opencontainers.image.created']).toBe('2026-01-02T03:04:05Z');
});

test('the facts of this checkout are whole, and SOURCE_DATE_EPOCH comes before the time of the commit', async () => {
  const facts = await factsOf({ SOURCE_DATE_EPOCH: '1700000000' });
  expect(facts.created).toEqual(new Date('2023-11-14T22:13:20Z'));
  expect(facts.revision).toMatch(/^[0-9a-f]{40}(?:-dirty)?$/);
});
