/** The arguments of the command line are wrong. */
export class WrongArguments extends Error {}

/** A number above 0, or nothing if the option is not given. */
export function countOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new WrongArguments(`--${option} takes a number above 0.`);
  return Number(text);
}
