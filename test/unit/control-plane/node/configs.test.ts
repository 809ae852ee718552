import { describe, expect, test } from 'vitest';
import {
  cniConfig,
  containerdCommand,
  containerdConfig,
  snapshotterOn,
} from '../../../../control-plane/node/containerd.ts';
import {
  kubeletCommand,
  kubeletConfig,
  kubeProxyConfig,
} from '../../../../control-plane/node/kubelet.ts';
import { layoutOf, PAUSE_IMAGE } from '../../../../control-plane/node/layout.ts';

const layout = layoutOf('/tmp/keyward-e2e-abc');
const programs = {
  kubelet: '/cache/kubelet',
  'kube-scheduler': '/cache/kube-scheduler',
  'kube-proxy': '/cache/kube-proxy',
  coredns: '/cache/coredns',
  containerd: '/debian/containerd/containerd',
  ctr: '/debian/containerd/ctr',
  runc: '/debian/runc/runc',
  busybox: '/debian/busybox',
  nft: '/debian/nft/nft',
  cniFolder: '/debian/cni',
  libraries: ['/debian/lib1', '/debian/lib2'],
};

describe('the files of a node', () => {
  test('all lie below its work folder', () => {
    const { cgroup, ...files } = layout;
    for (const file of Object.values(files)) expect(file).toMatch(/^\/tmp\/keyward-e2e-abc/);
    expect(cgroup).toBe('/keyward-node-keyward-e2e-abc');
  });

  test('leave room for the path of a socket, which Linux limits to 107 bytes', () => {
    expect(layout.containerdSocket.length).toBeLessThan(60);
  });
});

describe('containerd', () => {
  const config = containerdConfig(layout, programs, 'overlayfs');

  test('keeps to its own folders and takes our runc, plugins and pause image', () => {
    const paths = [...config.matchAll(/"(\/[^"]*)"/g)].map(([, path]) => path);
    expect(paths.filter((path) => !path?.startsWith('/tmp/keyward-e2e-abc'))).toEqual([
      '/debian/runc/runc',
      '/debian/cni',
    ]);
    expect(config).toContain(`sandbox_image = "${PAUSE_IMAGE}"`);
  });

  test('starts containers without the right to lower OOM scores', () => {
    expect(config).toContain('restrict_oom_score_adj = true');
  });

  test('finds runc, nft and their libraries by its environment', () => {
    const { env } = containerdCommand(layout, programs);
    expect(env?.['PATH']).toMatch(/^\/debian\/containerd:\/debian\/runc:\/debian\/nft:/);
    expect(env?.['LD_LIBRARY_PATH']).toBe('/debian/lib1:/debian/lib2');
  });

  test('copies the roots of containers where the machine is a container itself', () => {
    const [overlay, ext4] = [0x794c7630, 0xef53];
    expect([snapshotterOn(overlay), snapshotterOn(ext4)]).toEqual(['native', 'overlayfs']);
  });

  test('lets pods reach themselves by way of a Service', () => {
    expect(JSON.parse(cniConfig(layout))).toMatchObject({
      plugins: [{ type: 'bridge', hairpinMode: true, isDefaultGateway: true }],
    });
  });
});

describe('the kubelet and kube-proxy', () => {
  test('put containers below the cgroup of the node, which is removed at the end', () => {
    expect(JSON.parse(kubeletConfig(layout))).toMatchObject({
      cgroupRoot: '/keyward-node-keyward-e2e-abc',
      cgroupsPerQOS: true,
    });
  });

  test('read a file that nobody else uses', () => {
    const { args } = kubeletCommand(layout, programs, '/tmp/keyward-e2e-abc/kubelet.kubeconfig');
    for (const arg of args.filter((text) => text.includes('/'))) {
      expect(arg).toContain('/tmp/keyward-e2e-abc/');
    }
  });

  test("leave the machine's connection tracking alone", () => {
    expect(JSON.parse(kubeProxyConfig('kubeconfig'))).toMatchObject({
      mode: 'nftables',
      conntrack: { maxPerCore: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    });
  });
});
