// Evidence as people keep it: raw bytes, hexadecimal text, base64, PEM or DER, read as the `narthex` command reads it.
import { readFileSync } from "node:fs";

const withoutSpace = (bytes) => bytes.toString("latin1").replace(/[ \t\n\f\r]/g, "");

function decoded(content) {
  const digits = withoutSpace(content).replace(/^0x/, "");
  return /^([0-9a-fA-F]{2})+$/.test(digits) ? Buffer.from(digits, "hex") : content;
}

function blocks(label) {
  const block = new RegExp(`-----BEGIN ${label}-----([^-]+)-----END ${label}-----`, "g");
  return (path) => {
    const content = readFileSync(path);
    if (!content.includes("-----BEGIN ")) return [decoded(content)];
    return [...content.toString("latin1").matchAll(block)].map(([, base64]) => Buffer.from(base64, "base64"));
  };
}

export const hex = (content) => content.toString("hex");
export const bytes = (path) => hex(decoded(readFileSync(path)));
export const raw = (path) => hex(readFileSync(path));
export const certificates = (path) => blocks("CERTIFICATE")(path).map(hex);
export const crls = (path) => blocks("X509 CRL")(path).map(hex);

export function base64OrBytes(path) {
  const content = readFileSync(path);
  const digits = withoutSpace(content);
  return hex(/^([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(digits) ? Buffer.from(digits, "base64") : content);
}
