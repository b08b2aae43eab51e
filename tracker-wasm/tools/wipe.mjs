// Panic messages that nothing refers to any more.
//
// The standard library comes compiled, with texts for its panics. What would print them is optimized
// away, the texts are not: wasm-opt does not know where in the data one ends. They are a twelfth of
// the download, and some name folders of the machine that built it.

const CODE = 10;
const DATA = 11;
const I32_CONST = 0x41;

/** Texts of the standard library and of crates, as patterns over Latin-1. */
const TEXTS = [
  /\/[\w.+\/-]+\.rs/g,
  /[\w-]+\/src\/[\w\/]+\.rs/g,
  /memory allocation of |bytes failed|insertion index \(is |removal index \(is |\) should be <?=? ?len \(is /g,
  /Tried to shrink to a larger capacity|capacity overflow|closure invoked recursively or after being dropped/g,
  /RefCell already (mutably )?borrowed|Already (mutably )?borrowed/gi,
  // The digits by which `core::fmt` prints numbers, two by two.
  new RegExp(Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0')).join(''), 'g'),
];

/**
 * The module with such texts zeroed, unless code may refer to them.
 * @param {Buffer} wasm
 */
export function wipeDeadTexts(wasm) {
  const out = Buffer.from(wasm);
  const constants = new Set();
  for (const { id, start, end } of sections(wasm)) {
    if (id === CODE) for (let at = start; at < end; at++) if (wasm[at] === I32_CONST) constants.add(signed(wasm, at + 1).value);
  }
  for (const { id, start, end } of sections(wasm)) {
    if (id === DATA) for (const segment of segments(wasm, start, end)) wipeSegment(out, segment, constants);
  }
  return out;
}

/**
 * @param {Buffer} out
 * @param {{ address: number, start: number, end: number }} segment
 * @param {Set<number>} constants every number that could be an address in the code: too many rather than too few
 */
function wipeSegment(out, { address, start, end }, constants) {
  const text = out.toString('latin1', start, end);
  for (const pattern of TEXTS) {
    for (const match of text.matchAll(pattern)) {
      const from = address + match.index;
      const isUsed = [...constants].some((value) => value >= from && value < from + match[0].length);
      if (!isUsed) out.fill(0, start + match.index, start + match.index + match[0].length);
    }
  }
}

/** @param {Buffer} wasm */
function* sections(wasm) {
  for (let at = 8; at < wasm.length; ) {
    const id = wasm[at];
    const { value: length, next: start } = unsigned(wasm, at + 1);
    yield { id, start, end: start + length };
    at = start + length;
  }
}

/**
 * The active segments of memory 0.
 * @param {Buffer} wasm
 * @param {number} start
 * @param {number} end
 */
function* segments(wasm, start, end) {
  let { next: at } = unsigned(wasm, start);
  while (at < end) {
    if (wasm[at] !== 0 || wasm[at + 1] !== I32_CONST) throw new Error('a data segment of another kind');
    const offset = signed(wasm, at + 2);
    const length = unsigned(wasm, offset.next + 1);
    yield { address: offset.value, start: length.next, end: length.next + length.value };
    at = length.next + length.value;
  }
}

/** LEB128. @param {Buffer} wasm @param {number} at */
function unsigned(wasm, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = wasm[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: at };
  }
}

/** Signed LEB128 of up to 32 bits. @param {Buffer} wasm @param {number} at */
function signed(wasm, at) {
  let value = 0;
  for (let shift = 0; shift < 35; ) {
    const byte = wasm[at++] ?? 0;
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte < 0x80) return { value: shift < 32 && byte & 0x40 ? value | (-1 << shift) : value, next: at };
  }
  return { value, next: at };
}
