import { stringify } from 'yaml';
import type { ChartOption } from './options.ts';

const COLUMNS = 100;

/** The chart's values.yaml: every option with its description and its default. */
export function valuesFile(options: readonly ChartOption[]): string {
  const lines = ['# Generated from values.schema.json by "npm run generate"; edits here are lost.'];
  let open: readonly string[] = [];
  for (const { path, description, default: value } of options) {
    const parents = path.slice(0, -1);
    const shared = parents.findIndex((key, depth) => open[depth] !== key);
    const known = shared < 0 ? parents.length : shared;
    if (parents.length === 0 || known === 0) lines.push('');
    for (let depth = known; depth < parents.length; depth += 1)
      lines.push(`${'  '.repeat(depth)}${parents[depth]}:`);
    open = parents;
    const indent = '  '.repeat(parents.length);
    lines.push(...wrapped(description, COLUMNS - indent.length - 2).map((line) => `${indent}# ${line}`));
    const entry = stringify({ [path.at(-1) ?? '']: value }, { singleQuote: true, lineWidth: 0 }).trimEnd();
    lines.push(...entry.split('\n').map((line) => indent + line));
  }
  return `${lines.join('\n')}\n`;
}

/** The options as a table in Markdown. */
export function optionsTable(options: readonly ChartOption[]): string {
  const rows = options.map(({ path, description, default: value }) => {
    const shown = JSON.stringify(value).replaceAll('|', '\\|');
    return `| \`${path.join('.')}\` | \`${shown}\` | ${description.replaceAll('|', '\\|')} |`;
  });
  return ['| value | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** A text with what is between two marks replaced. Throws if a mark is missing. */
export function between(text: string, mark: string, replacement: string): string {
  const begin = `<!-- ${mark} -->\n`;
  const end = `<!-- end of ${mark} -->\n`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`The marks of "${mark}" are missing.`);
  return `${text.slice(0, from + begin.length)}${replacement}\n${text.slice(to)}`;
}

/** Chart.yaml with the version of the release. */
export function chartFile(text: string, version: string): string {
  return text
    .replace(/^version: .*$/m, `version: ${version}`)
    .replace(/^appVersion: .*$/m, `appVersion: ${version}`);
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}
