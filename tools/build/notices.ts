import type { BundledPackage } from './bundled-packages.ts';

/** A file of a package that has to go wherever the package goes. */
export interface LicenseFile {
  name: string;
  text: string;
}

/** Whether a file at the top of a package states its license, or notices that the license asks to keep. */
export function isLicenseFile(name: string): boolean {
  return /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i.test(name) && !/\.[cm]?[jt]s$/i.test(name);
}

/** The licenses of the packages, one after the other. What a package without a license file states stands in place of it. */
export function notices(
  product: string,
  packages: readonly BundledPackage[],
  filesOf: (folder: string) => readonly LicenseFile[],
): string {
  const sections = packages.map((each) => {
    const files = filesOf(each.folder);
    const stated = `License: ${each.license ?? 'none is stated'}.`;
    const body =
      files.length === 0
        ? 'The package has no license file.'
        : files.map(({ text }) => text.trimEnd().replaceAll('\r\n', '\n')).join('\n\n');
    return `${each.name} ${each.version}\n${stated}\n\n${body}\n`;
  });
  const line = `${'-'.repeat(78)}\n`;
  return [`${product} contains parts of the following packages.\n`, ...sections].join(line);
}
