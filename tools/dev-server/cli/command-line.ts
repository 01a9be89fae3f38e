/** Reads a command line, and prints its help, from a table of options. */
import { parseArgs } from 'node:util';

/** One option; its field's name in the table, with hyphens, is its flag. */
export interface Option<T> {
  /** The flag without its dashes, where it differs from the field's name. */
  flag?: string;
  /** What the help shows for the value; absent for a flag that takes none. */
  placeholder?: string;
  /** For the help; a line break continues below. Absent for an option that the help does not list. */
  help?: string;
  /** The option may be given more than once. */
  repeats?: boolean;
  /** Reads what was given, at least one text, or none for a flag. The reason of a RangeError or SyntaxError is shown behind the flag. */
  read: (given: string[]) => T | Promise<T>;
}

/** Options by the fields that they fill. */
export type Table = Readonly<Record<string, Option<unknown>>>;

/** What a command line gave: a field for each option that was present. */
export type Values<T extends Table> = { -readonly [F in keyof T]?: Awaited<ReturnType<T[F]['read']>> };

export type CommandLine<O> =
  | { kind: 'help' }
  | { kind: 'refused'; reason: string }
  | { kind: 'run'; json: boolean; options: O };

/** The section that every command line ends with. */
export const OUTPUT = {
  json: flag('print one line of JSON when ready'),
  help: flag('print this'),
} satisfies Table;

/** A flag without a value. */
export function flag(help?: string): Option<true> {
  return { ...(help === undefined ? {} : { help }), read: () => true };
}

/** An option with one value, the last one given. */
export function option<T>(
  placeholder: string,
  help: string,
  read: (text: string) => T | Promise<T>,
): Option<T> {
  return { placeholder, help, read: (given) => read(given.at(-1) ?? '') };
}

/** An option that may be repeated. */
export function repeated<T>(placeholder: string, help: string, read: (text: string) => T): Option<T[]> {
  return { placeholder, help, repeats: true, read: (given) => given.map(read) };
}

/**
 * Reads the arguments after the program's name; `finish` makes the server's options of the values. Never rejects for a wrong
 * argument: the result has the reason.
 */
export async function readCommandLine<T extends Table, O>(
  args: readonly string[],
  table: T,
  finish: (values: Values<T>) => O,
): Promise<CommandLine<O>> {
  try {
    const given = parse(args, { ...table, ...OUTPUT });
    if (given.has('help')) return { kind: 'help' };
    const values: Record<string, unknown> = {};
    for (const [field, { read }] of Object.entries(table)) {
      const texts = given.get(field);
      if (texts) values[field] = await named(`--${flagOf(field, table[field])}`, () => read(texts));
    }
    return { kind: 'run', json: given.has('json'), options: finish(values as Values<T>) };
  } catch (error) {
    // TypeError: parseArgs refuses an unknown flag, a missing value and a surplus argument.
    if (error instanceof RangeError || error instanceof TypeError) {
      return { kind: 'refused', reason: error.message };
    }
    throw error;
  }
}

/** What was given, by field. A flag without a value gives no text. */
function parse(args: readonly string[], table: Table): Map<string, string[]> {
  const byFlag = new Map(Object.entries(table).map(([field, one]) => [flagOf(field, one), { field, one }]));
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      [...byFlag].map(([name, { one }]) => [
        name,
        {
          type: one.placeholder === undefined ? ('boolean' as const) : ('string' as const),
          multiple: one.repeats ?? false,
        },
      ]),
    ),
  });
  const given = new Map<string, string[]>();
  for (const [name, value] of Object.entries(values)) {
    const texts = [value].flat().filter((text) => typeof text === 'string');
    given.set(byFlag.get(name)?.field ?? name, texts);
  }
  return given;
}

function flagOf(field: string, one: Option<unknown> | undefined): string {
  return one?.flag ?? field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Puts the flag's name before the reason of a refusal. */
async function named<T>(name: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) {
      throw new RangeError(`${name}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** Column of the help at which the explanations begin. */
const EXPLANATIONS = 27;

/** The help: an introduction, the options section by section, and what a SPAN is. */
export function helpText(introduction: string, sections: Readonly<Record<string, Table>>): string {
  const blocks = Object.entries(sections).map(([title, table]) =>
    [
      title,
      ...Object.entries(table)
        .filter(([, one]) => one.help !== undefined)
        .map(([field, one]) => helpLines(flagOf(field, one), one)),
    ].join('\n'),
  );
  return `${[introduction, ...blocks, 'A SPAN is a number with a unit: 500ms, 30s, 15m, 1h, 365d.'].join(
    '\n\n',
  )}\n`;
}

function helpLines(name: string, { placeholder, help = '' }: Option<unknown>): string {
  const left = `  --${name}${placeholder === undefined ? '' : ` ${placeholder}`}`;
  const indent = `\n${' '.repeat(EXPLANATIONS)}`;
  return `${left.padEnd(EXPLANATIONS - 1)} ${help.replaceAll('\n', indent)}`.trimEnd();
}
