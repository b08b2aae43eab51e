// What is done to the JavaScript that wasm-bindgen generates, before it is bundled.

/**
 * Questions that the glue asks at run time and that are settled: [question, answer]. esbuild drops
 * what can then no longer happen. wasm-bindgen's version is pinned; with another one a question that
 * is not there any more fails the build.
 */
const SETTLED = [
  // The module exports no realloc, so text is encoded as a whole, which is the shorter way.
  ['realloc === undefined', 'true'],
  ['    let len = arg.length;', '    return 0;\n    let len = arg.length;'],
  [', wasm.__wbindgen_realloc', ''],
  // Every browser with WebAssembly streaming or BigInt has it; the way chosen does not use it.
  ["!('encodeInto' in cachedTextEncoder)", 'false'],
  // Safari's decoder fails after 2 GiB of text; the tracker's texts are a few KiB a minute.
  ['numBytesDecoded >= MAX_SAFARI_DECODE_BYTES', 'false'],
  ['numBytesDecoded += bytes.length;', ''],
];

/**
 * Settles those questions, gives imports and exports the short names that wasm-opt gave them, and
 * adds `imports`: what the module is to be instantiated with.
 * @param {string} source
 * @param {{ imports: [module: string, name: string, short: string][], exports: [name: string, short: string][] }} names
 */
export function fixGlue(source, names) {
  let glue = source;
  for (const [question, answer] of SETTLED) {
    if (!glue.includes(question)) throw new Error(`the glue does not ask "${question}": is wasm-bindgen another version?`);
    glue = glue.replaceAll(question, answer);
  }
  for (const [name, short] of names.exports) glue = glue.replaceAll(new RegExp(`\\bwasm\\.${name}\\b`, 'g'), `wasm.${short}`);
  const page = names.imports.filter(([module]) => module === './page.js').map(([, name]) => name);
  const entries = names.imports.map(([, name, short]) => `${short}: ${name}`);
  const direct = page.length ? `import { ${page.join(', ')} } from './page.js';\n` : '';
  // wasm-opt calls the one module that is left "a".
  return `${direct}${glue}\nexport const imports = { a: { ${entries.join(', ')} } };\n`;
}
