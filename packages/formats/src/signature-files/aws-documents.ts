// The documents of AWS in which signatures of the format `aws` reach a FreeRTOS device: the job document of an OTA
// update, as the parser of the devices reads it (Jobs-for-AWS-IoT-embedded-sdk, job_parser.c), and the input of
// CreateOTAUpdate.

import { refuseFormat } from "../refusal.js";
import { AWS_SIGNATURE } from "./plain.js";

/** Files in a job document: devices read the indices 0 to 9. */
const MOST_FILES = 10;
const MOST_NUMBER = 2 ** 32 - 1;
/** How deeply members nest that devices read (JSON_MAX_DEPTH of coreJSON). */
const DEEPEST = 32;

/** A file of an OTA update. */
export interface OtaFile {
  /** Where the device stores it. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** The number of the file in its stream. */
  readonly id: number;
  /** Path or label of the certificate on the device. */
  readonly certificate: string;
  /** The content of the signature file: base64. */
  readonly signature: string;
  readonly type?: number;
  /** For HTTP: an address, or a placeholder for one that AWS signs. */
  readonly url?: string;
  readonly scheme?: string;
}

/** A job document of an OTA update. */
export interface OtaJob {
  readonly protocols: readonly ("MQTT" | "HTTP")[];
  /** Needed for MQTT. */
  readonly stream?: string;
  readonly files: readonly OtaFile[];
}

const fault = (detail: string) => refuseFormat("SIGNATURE_FILE_JOB", -1, detail);

/**
 * Writes a job document.
 *
 * @param job - What it says.
 * @returns The document, JSON.
 * @throws FormatRefusal SIGNATURE_FILE_JOB if a device would refuse it.
 */
export function writeOtaJob(job: OtaJob): string {
  checkJob(job);
  const files = job.files.map((file) => ({
    filepath: file.path,
    filesize: file.size,
    fileid: file.id,
    certfile: file.certificate,
    ...(file.type !== undefined && { fileType: file.type }),
    ...(file.url !== undefined && { update_data_url: file.url, auth_scheme: file.scheme ?? "aws.s3.presigned" }),
    "sig-sha256-ecdsa": file.signature,
  }));
  return `${JSON.stringify({ afr_ota: { protocols: job.protocols, ...(job.stream !== undefined && { streamname: job.stream }), files } }, null, 2)}\n`;
}

function checkJob({ protocols, stream, files }: OtaJob): void {
  if (protocols.length === 0 || protocols.some((one) => one !== "MQTT" && one !== "HTTP")) fault("protocols are MQTT and HTTP");
  if (protocols.includes("MQTT") && !stream) fault("MQTT needs the name of a stream");
  if (files.length === 0 || files.length > MOST_FILES) fault(`${files.length} files, but 1 to ${MOST_FILES} are possible`);
  for (const [i, file] of files.entries()) {
    if (!file.path || !file.certificate) fault(`file ${i} has no path or no certificate`);
    for (const number of [file.size, file.id, file.type ?? 0])
      if (!Number.isInteger(number) || number < 0 || number > MOST_NUMBER) fault(`file ${i} has a number that is not of 32 bits`);
    if (protocols.includes("HTTP") && !file.url) fault(`file ${i} has no address for HTTP`);
    AWS_SIGNATURE.read(Buffer.from(file.signature, "latin1"));
  }
}

/**
 * Reads a job document.
 *
 * @param text - JSON that devices read in the same way: without escapes, without a member that is there twice, and
 *   without numbers that have a point or an exponent. Other members are ignored, as devices do.
 * @returns What it says. Verify each signature with AWS_SIGNATURE and the content of its file.
 * @throws FormatRefusal SIGNATURE_FILE_JOB if a device would refuse it, and the refusals of the signature.
 */
export function readOtaJob(text: string): OtaJob {
  const { afr_ota: job } = asObject(parsed(text));
  const { protocols, streamname, files } = asObject(job);
  const read: OtaJob = {
    protocols: Array.isArray(protocols) ? protocols : [],
    ...(typeof streamname === "string" && { stream: streamname }),
    files: (Array.isArray(files) ? files.slice(0, MOST_FILES + 1) : []).map(readFile),
  };
  checkJob(read);
  return read;
}

function readFile(value: unknown): OtaFile {
  const file = asObject(value);
  const text = (name: string) => (typeof file[name] === "string" ? file[name] : "");
  const number = (name: string) => (typeof file[name] === "number" ? file[name] : Number.NaN);
  return {
    path: text("filepath"),
    size: number("filesize"),
    id: number("fileid"),
    certificate: text("certfile"),
    signature: text("sig-sha256-ecdsa"),
    ...(file["fileType"] !== undefined && { type: number("fileType") }),
    ...(file["update_data_url"] !== undefined && { url: text("update_data_url"), scheme: text("auth_scheme") }),
  };
}

/** JSON in which devices find the same. They take the first of two members, and resolve no escapes and exponents. */
function parsed(text: string): unknown {
  if (text.includes("\\")) return fault("it has an escape, which devices do not resolve");
  const marks = text.replace(/"[^"]*"/g, "");
  if (/\d[.eE]/.test(marks)) return fault("a number has a point or an exponent");
  if (isDeep(marks)) return fault(`its members nest more than ${DEEPEST} times`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fault("it is not JSON");
  }
  return membersIn(value) === marks.split(":").length - 1 ? value : fault("an object has a member twice");
}

function isDeep(marks: string): boolean {
  let depth = 0;
  for (const mark of marks) {
    if ("[{".includes(mark)) depth++;
    else if ("]}".includes(mark)) depth--;
    if (depth > DEEPEST) return true;
  }
  return false;
}

/** The members of all objects in a value. */
function membersIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inside = Object.values(value);
  return inside.reduce((sum: number, one) => sum + membersIn(one), Array.isArray(value) ? 0 : inside.length);
}

function asObject(value: unknown): { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { [name: string]: unknown })
    : fault("a member is missing");
}

/** What CreateOTAUpdate gets beside the signed file. */
export interface OtaUpdate {
  readonly id: string;
  /** ARNs of things or groups. */
  readonly targets: readonly string[];
  /** ARN of the role that reads the file. */
  readonly role: string;
  readonly protocols: readonly ("MQTT" | "HTTP")[];
  readonly file: { readonly name: string; readonly bucket: string; readonly key: string; readonly version?: string };
  /** Path or label of the certificate on the device, and the certificate as PEM. */
  readonly certificate: { readonly name: string; readonly pem: string };
  /** The content of the signature file: base64. */
  readonly signature: string;
}

/**
 * Writes the input of CreateOTAUpdate for a file that was signed elsewhere: customCodeSigning. The signature is base64
 * once. SDKs, and `aws iot create-ota-update --cli-binary-format raw-in-base64-out`, encode it again.
 *
 * @param update - What it says.
 * @returns The document, JSON.
 * @throws FormatRefusal for a signature that is not of the format `aws`.
 */
export function writeOtaUpdate({ id, targets, role, protocols, file, certificate, signature }: OtaUpdate): string {
  AWS_SIGNATURE.read(Buffer.from(signature, "latin1"));
  const { name, bucket, key, version } = file;
  const document = {
    otaUpdateId: id,
    targets,
    protocols,
    targetSelection: "SNAPSHOT",
    files: [
      {
        fileName: name,
        fileLocation: { s3Location: { bucket, key, ...(version !== undefined && { version }) } },
        codeSigning: {
          customCodeSigning: {
            signature: { inlineDocument: signature },
            certificateChain: { certificateName: certificate.name, inlineDocument: certificate.pem },
            hashAlgorithm: "SHA256",
            signatureAlgorithm: "ECDSA",
          },
        },
      },
    ],
    roleArn: role,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
