// Checks an exported audit log with other people's code only: @transmute/rfc9162 for the tree, Node's crypto for the
// signature. Usage: node verify_log.mjs FOLDER, where FOLDER holds the export and `claims.json`, proofs by our own code.
// Prints one JSON object: what held and what did not.

import { createPublicKey, verify } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import rfc9162 from "@transmute/rfc9162";

const { RFC9162 } = rfc9162;
const folder = process.argv[2];
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const same = (one, two) => Buffer.compare(Buffer.from(one), Buffer.from(two)) === 0;

function readCheckpoint(note) {
  const [body] = note.split("\n\n");
  const [origin, size, root] = body.split("\n");
  return { origin, size: Number(size), root: bytes(root), body: `${body}\n`, note };
}

function signedBy(checkpoint, vkey) {
  const [name] = vkey.split("+");
  const key = bytes(vkey.slice(vkey.indexOf("+", name.length + 1) + 1)).slice(1);
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.from(key)]);
  const line = checkpoint.note.split("\n").find((text) => text.startsWith(`\u2014 ${name} `));
  const signature = Buffer.from(line.split(" ")[2], "base64").subarray(4);
  const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
  return verify(null, Buffer.from(checkpoint.body), publicKey, signature);
}

function readEntries(size) {
  const entries = [];
  for (let n = 0; entries.length < size; n += 1) {
    const left = size - entries.length;
    const name = String(n).padStart(3, "0") + (left < 256 ? `.p/${left}` : "");
    const bundle = readFileSync(join(folder, "tile/entries", name));
    for (let at = 0; at < bundle.length; ) {
      const end = at + 2 + bundle.readUInt16BE(at);
      entries.push(new Uint8Array(bundle.subarray(at + 2, end)));
      at = end;
    }
  }
  return entries.slice(0, size);
}

async function tilesFit(entries) {
  for (const name of readdirSync(join(folder, "tile/0"), { recursive: true })) {
    const file = join(folder, "tile/0", name);
    if (!/^\d{3}(\.p\/\d+)?$/.test(name) || (name.endsWith(".p") && existsSync(file))) continue;
    const tile = readFileSync(file);
    const start = Number(name.slice(0, 3)) * 256;
    for (let i = 0; i * 32 < tile.length; i += 1) {
      const entry = entries[start + i];
      if (!entry || !same(await RFC9162.leaf(entry), tile.subarray(i * 32, (i + 1) * 32))) return false;
    }
  }
  return true;
}

const checkpoint = readCheckpoint(readFileSync(join(folder, "checkpoint"), "utf8"));
const keys = JSON.parse(readFileSync(join(folder, "keys.json"), "utf8"));
const claims = JSON.parse(readFileSync(join(folder, "claims.json"), "utf8"));
const entries = readEntries(checkpoint.size);

const inclusion = [];
for (const { index, path } of claims.inclusion) {
  const leaf = await RFC9162.leaf(entries[index] ?? new Uint8Array());
  const proof = { log_id: "", tree_size: checkpoint.size, leaf_index: index, inclusion_path: path.map(bytes) };
  inclusion.push(await RFC9162.verifyInclusionProof(checkpoint.root, leaf, proof));
}

const consistency = [];
for (const { note, path } of claims.consistency) {
  const old = readCheckpoint(note);
  // RFC 9162 2.1.4.2 step 2: for an exact power of 2 the verifier prepends the first root, for the proof leaves it out.
  // Version 0.0.5 of the package leaves that step to its caller ("hmm erata?" in its source).
  const left = Number.isInteger(Math.log2(old.size)) ? [old.root] : [];
  const proof = {
    log_id: "",
    tree_size_1: old.size,
    tree_size_2: checkpoint.size,
    consistency_path: [...left, ...path.map(bytes)],
  };
  consistency.push(await RFC9162.verifyConsistencyProof(old.root, checkpoint.root, proof));
}

console.log(
  JSON.stringify({
    size: checkpoint.size,
    signed: signedBy(checkpoint, keys.logs[checkpoint.origin]),
    tree: await RFC9162.verifyTree(checkpoint.root, entries),
    tiles: await tilesFit(entries),
    inclusion,
    consistency,
  }),
);
