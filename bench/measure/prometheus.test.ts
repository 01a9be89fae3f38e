import { expect, test } from 'vitest';
import { samplesOf, sumOf } from './prometheus.ts';

const text = `# HELP apiserver_request_total [STABLE] Counter of apiserver requests.
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",resource="secrets",verb="POST"} 12
apiserver_request_total{code="409",resource="secrets",verb="POST"} 1
apiserver_request_total_other{code="200"} 99
process_cpu_seconds_total 3.25
big 1.5e+06
timed{a="b"} 7 1700000000000
`;

test('the samples of a metric are found with their labels, and no others', () => {
  expect(samplesOf(text, 'apiserver_request_total')).toEqual([
    { labels: { code: '200', resource: 'secrets', verb: 'POST' }, value: 12 },
    { labels: { code: '409', resource: 'secrets', verb: 'POST' }, value: 1 },
  ]);
});

test.each([
  ['process_cpu_seconds_total', 3.25],
  ['big', 1_500_000],
  ['timed', 7],
])('the value of %s is read', (metric, want) => {
  expect(samplesOf(text, metric).map(({ value }) => value)).toEqual([want]);
});

test('label values may contain commas, braces and escaped characters', () => {
  const [sample] = samplesOf(String.raw`m{path="/a,{b}",quote="say \"hi\"\\",line="a\nb",} 1`, 'm');
  expect(sample?.labels).toEqual({ path: '/a,{b}', quote: String.raw`say "hi"\ `.trim(), line: 'a\nb' });
});

test('lines that are no samples are skipped', () => {
  expect(samplesOf('m{a="b} 1\nm{a="b"}\nm x\nmm 1\n', 'm')).toEqual([]);
});

test('an infinite sample differs from a missing one', () => {
  expect(sumOf('m +Inf', 'm')).toBe(Infinity);
  expect(sumOf('', 'm')).toBe(0);
});

test('a sum adds the samples that have all the labels', () => {
  expect(sumOf(text, 'apiserver_request_total', { verb: 'POST' })).toBe(13);
  expect(sumOf(text, 'apiserver_request_total', { verb: 'POST', code: '409' })).toBe(1);
  expect(sumOf(text, 'apiserver_request_total', { verb: 'GET' })).toBe(0);
});
