import { describe, expect, test } from 'vitest';
import { flag, helpText, option, OUTPUT, readCommandLine, repeated, type Table } from './command-line.ts';
import { count, text } from './values.ts';

const TABLE = {
  secret: flag(),
  keyPool: option('N', 'key pairs (0)', count),
  hosts: { ...repeated('NAME', 'a host;\nmay be repeated', text), flag: 'host' },
} satisfies Table;

function read(...args: string[]): Promise<unknown> {
  return readCommandLine(args, TABLE, (values) => values);
}

describe('a command line', () => {
  test('gives a field for each option that is present', async () => {
    expect(await read('--key-pool', '4', '--host', 'a', '--host', 'b', '--json')).toEqual({
      kind: 'run',
      json: true,
      options: { keyPool: 4, hosts: ['a', 'b'] },
    });
    expect(await read()).toEqual({ kind: 'run', json: false, options: {} });
  });

  test('counts the last value of an option that is given twice', async () => {
    expect(await read('--key-pool', '4', '--key-pool', '5')).toMatchObject({ options: { keyPool: 5 } });
  });

  test('asks for help whatever else is wrong', async () => {
    expect(await read('--key-pool', 'many', '--help')).toEqual({ kind: 'help' });
  });

  test('is refused with the flag before the reason', async () => {
    expect(await read('--key-pool', 'many')).toEqual({
      kind: 'refused',
      reason: '--key-pool: "many" is not a count: write digits only',
    });
  });

  test('is not refused for a defect of the program', async () => {
    const broken = (): never => {
      throw new Error('broken');
    };
    await expect(readCommandLine([], TABLE, broken)).rejects.toThrow('broken');
  });
});

test('the help has the sections of the table, without options that have no text', () => {
  expect(helpText('Usage: it', { Where: TABLE, Output: OUTPUT })).toBe(`Usage: it

Where
  --key-pool N             key pairs (0)
  --host NAME              a host;
                           may be repeated

Output
  --json                   print one line of JSON when ready
  --help                   print this

A SPAN is a number with a unit: 500ms, 30s, 15m, 1h, 365d.
`);
});
