import type { Supervision } from './process.ts';

/** One build of a Dockerfile. */
export interface BuildRequest {
  /** What is built, for progress, such as `Building the image`. */
  title: string;
  context: string;
  dockerfile: string;
  tag: string;
  /** Such as `linux/arm64`; absent: this machine's. */
  platform?: string;
  args: Readonly<Record<string, string>>;
  /** Files that a RUN may mount, by id; no layer has them. */
  secrets: Readonly<Record<string, string>>;
  /** The time that the image and its files bear. */
  created: Date;
  /** Whether base images are fetched if they are missing. */
  pull: boolean;
  /** For whatever the engine keeps during the build. */
  temporary: string;
}

/** A program that builds images. */
export interface Engine {
  readonly name: 'docker' | 'buildah';
  /** Where its images are, as a sentence for a person. */
  readonly whereabouts: string;
  /** Removes what a build that was killed has left behind. */
  tidy(): Promise<void>;
  hasImage(tag: string): Promise<boolean>;
  build(request: BuildRequest, supervision: Supervision): Promise<void>;
  /** Writes the image to `file`, a tar of the OCI image layout. */
  save(tag: string, file: string, supervision: Supervision): Promise<void>;
}
