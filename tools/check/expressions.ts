import { readFileSync } from 'node:fs';
import { costOf } from './expression-cost.ts';
import { literalsOf } from './expression-literals.ts';

/** An expression that the check would refuse, and why it may stay. */
export interface Exception {
  readonly file: string;
  /** As it stands in the file, without its slashes and flags. */
  readonly expression: string;
  readonly reason: string;
}

/** The check looks at shapes only. Here is what it cannot know of texts. */
export const exceptions: readonly Exception[] = [
  {
    file: 'src/lib/log-safe.ts',
    expression: String.raw`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)|\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}`,
    reason: 'a key that begins is matched up to the end of the text at the latest, so nothing is read again',
  },
  {
    file: 'src/x509/signing-request.ts',
    expression: String.raw`^[\x21-\x7e]+@[\x21-\x7e]+$`,
    reason: 'the text has at most 255 characters, by the check before it',
  },
];

/**
 * Every regular expression literal of `files` in `src`, tests aside, that hostile text can hold up, as
 * `file:line: reason`; and every exception that no expression needs.
 */
export function slowExpressions(
  files: readonly string[],
  read = readText,
  allowed: readonly Exception[] = exceptions,
): string[] {
  const unused = new Set(allowed);
  const complaints = files.filter(isProduct).flatMap((file) =>
    literalsOf(read(file)).flatMap(({ source, flags, line }) => {
      const reason = judge(source, flags);
      if (reason === undefined) return [];
      const exception = allowed.find((each) => each.file === file && each.expression === source);
      if (exception) unused.delete(exception);
      return exception ? [] : [`${file}:${line}: /${source}/${flags}: ${reason}`];
    }),
  );
  return [
    ...complaints,
    ...[...unused].map(({ file, expression }) => `${file}: nothing needs the exception for /${expression}/`),
  ];
}

function readText(file: string): string {
  return readFileSync(file, 'utf8');
}

function isProduct(file: string): boolean {
  return file.startsWith('src/') && !file.endsWith('.test.ts');
}

function judge(source: string, flags: string): string | undefined {
  try {
    return costOf(source, flags);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
