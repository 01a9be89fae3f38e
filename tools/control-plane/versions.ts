/** The pinned versions, their source and their sums. `modules/` pins the same versions for Go. */

export const KUBERNETES_VERSION = 'v1.36.3';
export const ETCD_VERSION = 'v3.7.3';
export const HELM_VERSION = 'v3.22.0';
export const ACTIONLINT_VERSION = 'v1.7.12';

/** The oldest Go that builds the pinned modules (their `go` directive). */
export const GO_VERSION = '1.26';

/**
 * The newest envtest release of the 1.36 line: one patch release behind the built one, with etcd 3.6.8. It serves the same API,
 * so it is used where the network has it.
 */
export const ENVTEST_VERSION = 'v1.36.2';

/** Where the envtest archives are published. */
export const ENVTEST_BASE_URL = 'https://github.com/kubernetes-sigs/controller-tools/releases/download';

/** SHA-512 sums as published in `envtest-releases.yaml` of kubernetes-sigs/controller-tools. */
const ENVTEST_SUMS: Readonly<Record<string, string>> = {
  'darwin-amd64':
    'b4fe9f973cd1992e3880f8b230ed32c0c243b83371591e3e3315f4404df2cdbef8ee94eeb9bb245b7e5feb987d5c4a76c43e0877654ab73f00d7bbc2b9984514',
  'darwin-arm64':
    '9278f9e5af556b2f1f2d139769c1f0d717c7b4426917fdebdba898bcb725a916e4910d6160886194ff9be9589ea7c5c32c2b8ae0754703874b7c8ba8ddfc41ce',
  'linux-amd64':
    'ea743186c8a799f5cf8faf16969f86189d003cb7d130e0ac4b58789f1e5748dcf30ebe91c837a10d5ac415383da3e10b9e64d65785c938c23e739781cfb76f08',
  'linux-arm64':
    '2d72ee985a8e262a3c57dc9f7f0fd891f6a8c7bf7ebaa2db6dc6d8eac8ae28181afe51c1f368b67756cdb40b10de9b205609e1726e5f27f7c6d824dd9c6649ac',
};

/** An archive to fetch. */
export interface Archive {
  url: string;
  /** Lower-case hex. */
  sha512: string;
}

/** This platform in Go's words, such as `linux-amd64`. */
export function platform(os: string = process.platform, arch: string = process.arch): string {
  return `${os}-${arch === 'x64' ? 'amd64' : arch}`;
}

/** The envtest archive for a platform; undefined where none is pinned. */
export function envtestArchive(target: string): Archive | undefined {
  const sha512 = ENVTEST_SUMS[target];
  return sha512 === undefined
    ? undefined
    : {
        url: `${ENVTEST_BASE_URL}/envtest-${ENVTEST_VERSION}/envtest-${ENVTEST_VERSION}-${target}.tar.gz`,
        sha512,
      };
}
