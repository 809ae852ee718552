/** Strongly connected components (Tarjan 1972), without recursion: the graphs are deep. */

type Frame = { readonly node: number; next: number };

/** The components of a graph given as lists of successors; each as its nodes. */
export function components(edges: readonly (readonly number[])[]): number[][] {
  const order = new Int32Array(edges.length).fill(-1);
  const low = new Int32Array(edges.length);
  const isOpen = new Uint8Array(edges.length);
  const open: number[] = [];
  const found: number[][] = [];
  let count = 0;
  const enter = (node: number): Frame => {
    order[node] = count;
    low[node] = count;
    count += 1;
    open.push(node);
    isOpen[node] = 1;
    return { node, next: 0 };
  };
  const lower = (node: number, bound: number): void => {
    low[node] = Math.min(low[node] ?? 0, bound);
  };
  const leave = (node: number): void => {
    if (low[node] !== order[node]) return;
    const members = open.splice(open.lastIndexOf(node));
    for (const member of members) isOpen[member] = 0;
    found.push(members);
  };
  for (let root = 0; root < edges.length; root += 1) {
    if (order[root] !== -1) continue;
    const stack = [enter(root)];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const to = edges[frame.node]?.[frame.next];
      frame.next += 1;
      if (to === undefined) {
        stack.pop();
        leave(frame.node);
        lower(stack.at(-1)?.node ?? frame.node, low[frame.node] ?? 0);
      } else if (order[to] === -1) {
        stack.push(enter(to));
      } else if (isOpen[to] === 1) {
        lower(frame.node, order[to] ?? 0);
      }
    }
  }
  return found;
}
