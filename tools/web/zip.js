// ---- zip.js: a zip file whose members are stored as they are ----
const CRC_TABLE = Uint32Array.from({length: 256}, (unused, i) => {
  let c = i;
  for (let bit = 0; bit < 8; bit++) {
    c = c & 1 ? c >>> 1 ^ 0xedb88320 : c >>> 1;
  }
  return c;
});

function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c = CRC_TABLE[(c ^ byte) & 255] ^ c >>> 8;
  }
  return ~c >>> 0;
}

// The bytes of fields, lowest byte first: [size, value, size, value, ...].
function fields(list) {
  const out = [];
  for (let i = 0; i < list.length; i += 2) {
    for (let b = 0; b < list[i]; b++) {
      out.push(list[i + 1] >>> 8 * b & 255);
    }
  }
  return Uint8Array.from(out);
}

// files: [[name, bytes], ...].  Names are ASCII.  Returns a Blob.
function zip(files) {
  const DATE = 0x5a21; // 1 January 2025, so that the same files make the same zip
  const parts = [], directory = [];
  let at = 0;
  for (const [name, bytes] of files) {
    const path = new TextEncoder().encode(name);
    const crc = crc32(bytes);
    const common = [2, 20, 2, 0, 2, 0, 2, 0, 2, DATE, 4, crc, 4, bytes.length, 4, bytes.length, 2,
      path.length, 2, 0];
    const head = fields([4, 0x04034b50, ...common]);
    directory.push(fields([4, 0x02014b50, 2, 20, ...common, 2, 0, 2, 0, 2, 0, 4, 0, 4, at]), path);
    parts.push(head, path, bytes);
    at += head.length + path.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = fields([4, 0x06054b50, 2, 0, 2, 0, 2, files.length, 2, files.length, 4, size, 4, at,
    2, 0]);
  return new Blob([...parts, ...directory, end], {type: 'application/zip'});
}

function download(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
