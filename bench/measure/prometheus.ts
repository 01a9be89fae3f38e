/** One line of the Prometheus text format. */
export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** The samples of one metric. Other lines are skipped without parsing, since an API server has thousands. */
export function samplesOf(text: string, metric: string): Sample[] {
  const found: Sample[] = [];
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (text.startsWith(metric, start)) {
      const sample = readSample(text.slice(start + metric.length, end));
      if (sample) found.push(sample);
    }
    start = end + 1;
  }
  return found;
}

/** The sum of a metric over the samples that have all these labels; 0 if there are none. */
export function sumOf(text: string, metric: string, labels: Readonly<Record<string, string>> = {}): number {
  return samplesOf(text, metric)
    .filter((sample) => Object.entries(labels).every(([name, value]) => sample.labels[name] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

const LABEL = /\s*([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"\s*,?/y;
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };

/** What follows the metric's name: labels in braces or none, then the value. Undefined if the metric's name is longer. */
function readSample(rest: string): Sample | undefined {
  const labels: Record<string, string> = {};
  let at = 0;
  if (rest.startsWith('{')) {
    LABEL.lastIndex = 1;
    at = 1;
    for (let match = LABEL.exec(rest); match; match = LABEL.exec(rest)) {
      const [, name = '', value = ''] = match;
      labels[name] = value.replaceAll(/\\(.)/g, (whole, character: string) => ESCAPED[character] ?? whole);
      at = LABEL.lastIndex;
    }
    if (rest[at] !== '}') return undefined;
    at += 1;
  } else if (!/^\s/.test(rest)) {
    return undefined;
  }
  const [value = ''] = rest.slice(at).trim().split(/\s+/);
  const number = value === '+Inf' ? Infinity : Number(value);
  return value === '' || Number.isNaN(number) ? undefined : { labels, value: number };
}
