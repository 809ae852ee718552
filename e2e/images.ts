/** Images of the workloads: busybox and nginx, with the libraries they need. */
import { join } from 'node:path';
import { writeImage } from '../control-plane/node/image.ts';
import { librariesOf } from '../control-plane/node/libraries.ts';
import type { Settings } from './settings.ts';

/** Commands of the pods' scripts. */
const APPLETS = ['sh', 'cat', 'date', 'echo', 'httpd', 'sleep', 'timeout', 'wget'];

/** Writes them into `folder`. @returns the tars */
export async function writeWorkloadImages(
  { programs, nginx }: Settings,
  folder: string,
): Promise<readonly string[]> {
  const busyboxTar = join(folder, 'busybox.tar');
  const links = APPLETS.map((name) => [`/bin/${name}`, 'busybox'] as const);
  await writeImage(
    {
      name: 'e2e-busybox:1',
      files: { '/bin/busybox': programs.busybox, ...(await librariesOf(programs.busybox)) },
      links: Object.fromEntries(links),
      entrypoint: ['/bin/sh'],
    },
    busyboxTar,
  );
  const nginxTar = join(folder, 'nginx.tar');
  await writeImage(
    {
      name: 'e2e-nginx:1',
      files: { '/bin/nginx': nginx.path, ...(await librariesOf(nginx.path, nginx.env)) },
      entrypoint: ['/bin/nginx'],
    },
    nginxTar,
  );
  return [busyboxTar, nginxTar];
}
