import type { Facts } from '../image/facts.ts';

/** A file of the release, by its SHA-256 in hexadecimal. */
export interface Artifact {
  name: string;
  sha256: string;
}

/** How the files were made. */
export interface BuildRecord {
  facts: Facts;
  base: string;
  builder: string;
  /** Versions of what took part, by name. */
  tools: Readonly<Record<string, string>>;
  startedOn: Date;
  finishedOn: Date;
}

const REPOSITORY = 'https://github.com/tinycert-operator/tinycert-operator';

/** The lines that `sha256sum --check` reads. */
export function sums(artifacts: readonly Artifact[]): string {
  return artifacts.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
}

/**
 * How the files were made, as an in-toto statement with SLSA's predicate for provenance. Nobody has signed it, so it proves nothing: the
 * forge's own, signed one does.
 */
export function provenance(artifacts: readonly Artifact[], record: BuildRecord): object {
  const { facts, base, builder, tools, startedOn, finishedOn } = record;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: artifacts.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: `${REPOSITORY}/blob/main/docs/releases.md`,
        externalParameters: { version: facts.version, base, builder },
        internalParameters: { SOURCE_DATE_EPOCH: facts.created.getTime() / 1000 },
        resolvedDependencies: [
          {
            uri: `git+${REPOSITORY}`,
            ...(/^[0-9a-f]{40}$/.test(facts.revision) ? { digest: { gitCommit: facts.revision } } : {}),
          },
          ...[base, builder].map(imageReference),
        ],
      },
      runDetails: {
        builder: { id: `${REPOSITORY}/tree/main/tools/release`, version: tools },
        metadata: { startedOn: startedOn.toISOString(), finishedOn: finishedOn.toISOString() },
      },
    },
  };
}

/** An image by its name, and by its digest if the name has one. */
function imageReference(name: string): { uri: string; digest?: { sha256: string } } {
  const sha256 = /@sha256:([0-9a-f]{64})$/.exec(name)?.[1];
  return { uri: `oci://${name}`, ...(sha256 === undefined ? {} : { digest: { sha256 } }) };
}
