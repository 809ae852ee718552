/**
 * Pure; the Huffman code of HPACK (RFC 7541, appendix B). It is canonical, so the lengths of its codes say
 * all: codes of one length are numbers in a row, in the order of their symbols.
 */

/** Length of the code of each symbol from 0 to 256, the last of which ends a text: A is 5 bits, Z is 30. */
const LENGTHS = [
  'ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHF',
  'IBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBKABABABBBACCBBBABCBAABCCCCCKGJIX',
  'PRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRS',
  'VVPORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVSVWVVWWWWWXWWWWWV',
  'Z',
].join('');
const LENGTH_OF_A = 5;
const END = 256;
/** Shorter than a byte, and all of it ones. */
const PADDING_BITS_MAX = 7;

/** A tree in an array: two entries for each node; negative: a symbol, as -1 - symbol. */
const TREE = buildTree();

/** The text, one character per byte; undefined when the code is wrong. */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  const symbols: number[] = [];
  let node = 0;
  let depth = 0;
  let isOnes = true;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    for (let mask = 0x80; mask > 0; mask >>= 1) {
      const bit = (byte & mask) === 0 ? 0 : 1;
      const next = TREE[2 * node + bit] ?? 0;
      depth += 1;
      isOnes &&= bit === 1;
      if (next >= 0) {
        node = next;
        continue;
      }
      if (next === -1 - END) return undefined;
      symbols.push(-1 - next);
      node = 0;
      depth = 0;
      isOnes = true;
    }
  }
  if (depth > PADDING_BITS_MAX || !isOnes) return undefined;
  return Buffer.from(symbols).toString('latin1');
}

function buildTree(): readonly number[] {
  const tree = [0, 0];
  let code = 0;
  let length = 0;
  const lengths = Array.from(LENGTHS, (letter) => letter.charCodeAt(0) - 65 + LENGTH_OF_A);
  const symbols = lengths.map((_, symbol) => symbol);
  symbols.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  for (const symbol of symbols) {
    const longer = (lengths[symbol] ?? 0) - length;
    code <<= longer;
    length += longer;
    plant(tree, symbol, { code, length });
    code += 1;
  }
  return tree;
}

function plant(
  tree: number[],
  symbol: number,
  { code, length }: { readonly code: number; readonly length: number },
): void {
  let node = 0;
  for (let bit = length - 1; bit > 0; bit -= 1) {
    const place = 2 * node + ((code >> bit) & 1);
    if (tree[place] === 0) {
      tree[place] = tree.length / 2;
      tree.push(0, 0);
    }
    node = tree[place] ?? 0;
  }
  tree[2 * node + (code & 1)] = -1 - symbol;
}
