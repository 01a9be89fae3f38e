/**
 * The time that what is built bears: SOURCE_DATE_EPOCH (reproducible-builds.org), else that of the commit, so that the same commit gives
 * the same files; the present where neither is known.
 */
export function sourceDate(
  env: Readonly<Record<string, string | undefined>>,
  commitTime: () => string | undefined,
): Date {
  const given = env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && given !== '' && !/^\d{1,11}$/.test(given))
    throw new Error(`SOURCE_DATE_EPOCH is "${given}": it must be seconds since 1970.`);
  const seconds = given === undefined || given === '' ? commitTime() : given;
  return seconds === undefined || seconds === '' ? new Date() : new Date(Number(seconds) * 1000);
}
