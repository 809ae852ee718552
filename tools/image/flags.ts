/** What `npm run image` can be told. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ARCHITECTURES, ownArchitecture, type Architecture, type Choice } from './debian.ts';

/** What `--help` prints. */
export const USAGE = `usage: npm run image -- [options]

  --arch ARCH          amd64 or arm64 (that of this machine)
  --libraries CHOICE   pinned, or newest: what this machine's Debian offers (pinned)
  --renew-pins         pin the newest libraries in tools/image/debian.json, and make no image
  --out DIR            where the files go (dist/image)
  --no-figures         leave out start-up time and memory, which take half a minute
  --tree DIR           lay the image out as files in DIR instead, which must be empty or absent
`;

/** One run of the tool. */
export type ImageFlags = {
  readonly architecture: Architecture;
  readonly libraries: Choice;
  /** Whether the pins are renewed, and nothing else is done. */
  readonly renewPins: boolean;
  /** Folder of the image's file and of its parts list. */
  readonly out: string;
  /** Whether it is run and measured. */
  readonly figures: boolean;
  /** Folder for the image's files as such; undefined: none is wanted. */
  readonly tree: string | undefined;
};

const CHOICES: readonly Choice[] = ['pinned', 'newest'];

/** @throws Error with one sentence when a flag is unknown or takes something else */
export function parseFlags(args: readonly string[], root: string): ImageFlags | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      arch: { type: 'string' },
      libraries: { type: 'string', default: 'pinned' },
      out: { type: 'string', default: join(root, 'dist', 'image') },
      tree: { type: 'string' },
      'renew-pins': { type: 'boolean', default: false },
      'no-figures': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { out, tree } = values;
  const architecture = oneOf('arch', values.arch ?? ownArchitecture() ?? '', ARCHITECTURES);
  return {
    architecture,
    libraries: oneOf('libraries', values.libraries, CHOICES),
    out,
    tree,
    figures: !values['no-figures'],
    renewPins: values['renew-pins'],
  };
}

function oneOf<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((each) => each === value);
  if (found !== undefined) return found;
  throw new Error(`--${flag} takes ${known.join(' or ')}, not '${value}'`);
}
