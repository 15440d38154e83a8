// The objects of a ledger in a bucket, and the few requests that a ledger needs. What must have one winner is made by a
// conditional write.

import type { GetObjectCommand, PutObjectCommand, S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { environment, Failure, usage } from "../errors/failure.js";
import { heldCredentials } from "../sources/services/aws.js";
import { ATTEMPT, ATTEMPTS, callService, importPackage } from "../sources/services/service.js";
import type { LedgerPlace } from "./place.js";
import { NO_CONDITIONS, troubleOf } from "./s3-troubles.js";

const PACKAGE = "@aws-sdk/client-s3";

/** Milliseconds until entries are written, which may be those of a whole log. */
const UPLOAD = 30_000;
/** Keys in one answer. With the longest names, 1,000 would need more than an answer may have. */
const KEYS = 500;
/** Bytes of a key (Amazon S3 User Guide: Naming objects). */
const LONGEST_KEY = 1024;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** An object that a conditional write did not replace; a write that another one has overtaken. */
const EXISTS: readonly unknown[] = [412, 409];

const statusOf = (e: unknown) => (e as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;

const isLoopback = (host: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(host);

/** An object, as it was read or made. */
export interface Stored {
  readonly bytes: Buffer;
  readonly etag: string | undefined;
  /** The clock of the store when it answered. In milliseconds since 1970; undefined if it does not say it. */
  readonly time: number | undefined;
  /** The age of the object by that clock. In milliseconds; undefined if the store does not say it. */
  readonly age: number | undefined;
}

/** A key, after the prefix of the ledger. */
export interface ObjectName {
  readonly name: string;
  readonly size: number;
}

/** The bucket and the prefix of a place, which ends with "/". Throws a Failure (usage). */
function partsOf({ url, name, text }: LedgerPlace): { bucket: string; prefix: string } {
  if (url.username !== "" || url.port !== "")
    throw usage(`${text}: a bucket has neither a user nor a port`, "give s3://BUCKET/PREFIX#NAME");
  if (!BUCKET.test(url.hostname)) throw usage(`${text}: not the name of a bucket`, "give s3://BUCKET/PREFIX#NAME");
  const folders = decodeURIComponent(url.pathname).replace(/^\/|\/$/g, "");
  const prefix = folders === "" ? `${name}/` : `${folders}/${name}/`;
  // a proxy or a store could take two names for one
  if (
    prefix
      .split("/")
      .slice(0, -1)
      .some((part) => ["", ".", ".."].includes(part))
  )
    throw usage(`${text}: a part of the name is empty or dots`, "give s3://BUCKET/PREFIX#NAME");
  if (Buffer.byteLength(prefix) > LONGEST_KEY - 64) throw usage(`${text}: the name is too long`, "give a shorter prefix or name");
  return { bucket: url.hostname, prefix };
}

/** What adds to a command what happens with its answer. */
interface Answered {
  readonly middlewareStack: GetObjectCommand["middlewareStack"] | PutObjectCommand["middlewareStack"];
}

/** Returns what says the clock of the store, in milliseconds since 1970, when a command was answered. */
function timeOfAnswer({ middlewareStack }: Answered): () => number | undefined {
  let time = Number.NaN;
  (middlewareStack as GetObjectCommand["middlewareStack"]).add(
    (next) => async (args) => {
      const result = await next(args);
      time = Date.parse((result.response as { headers: { [name: string]: string } }).headers["date"] ?? "");
      return result;
    },
    { step: "deserialize" },
  );
  return () => (Number.isFinite(time) ? time : undefined);
}

/** Connects to the store. Sends nothing yet. Throws a Failure. */
export async function connect(place: LedgerPlace): Promise<LedgerObjects> {
  const parts = partsOf(place);
  const sdk = await importPackage(place.text, PACKAGE, () => import("@aws-sdk/client-s3"));
  const credentials = heldCredentials();
  const config: S3ClientConfig = {
    ...(credentials && { credentials }),
    // stores other than AWS seldom have a host name for each bucket
    forcePathStyle: Boolean(process.env["AWS_ENDPOINT_URL_S3"] || process.env["AWS_ENDPOINT_URL"]),
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: ATTEMPT, requestTimeout: ATTEMPT, throwOnRequestTimeout: true },
  };
  return new LedgerObjects(place, parts, sdk, config);
}

/** The objects of a ledger. Names are those after its prefix. */
export class LedgerObjects {
  private readonly client: S3Client;

  constructor(
    readonly place: LedgerPlace,
    private readonly parts: { readonly bucket: string; readonly prefix: string },
    private readonly sdk: typeof import("@aws-sdk/client-s3"),
    private readonly config: S3ClientConfig,
  ) {
    this.client = this.clientOf(config);
  }

  /** A client that sends nothing in the clear, wherever its endpoint is set. */
  private clientOf(config: S3ClientConfig): S3Client {
    const client = new this.sdk.S3Client(config);
    const { text } = this.place;
    client.middlewareStack.add(
      (next) => async (args) => {
        const { protocol, hostname } = args.request as { protocol: string; hostname: string };
        if (protocol !== "https:" && !isLoopback(hostname))
          throw environment(
            `${text}: the endpoint of the store is not https, and anybody on the way could answer as the store`,
            "give an https address in AWS_ENDPOINT_URL_S3, or in the profile",
          );
        return await next(args);
      },
      { step: "build" },
    );
    return client;
  }

  private at(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.parts.bucket, Key: this.parts.prefix + name };
  }

  /** Sends a request. Returns undefined for an answer that `isNone` knows. Throws a Failure (exit 3). */
  private async ask<T>(
    call: (abortSignal: AbortSignal) => Promise<T>,
    isNone: (e: unknown) => boolean,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    let own: unknown;
    try {
      return await callService(
        this.place.text,
        async (abortSignal) => {
          try {
            return await call(abortSignal);
          } catch (e) {
            if (isNone(e)) return undefined;
            own = e;
            throw e;
          }
        },
        troubleOf,
        signal,
      );
    } catch (e) {
      if (own instanceof Failure) throw own;
      throw e instanceof Failure ? environment(e.message, e.hint) : e;
    }
  }

  /** Reads an object, or a part of it. Returns undefined if there is none. */
  async get(name: string, o: { from?: number; length?: number; signal?: AbortSignal | undefined } = {}): Promise<Stored | undefined> {
    const { from = 0, length, signal } = o;
    const range = length === undefined ? {} : { Range: `bytes=${from}-${from + length - 1}` };
    const command = new this.sdk.GetObjectCommand({ ...this.at(name), ...range });
    const timeOf = timeOfAnswer(command);
    const read = async (abortSignal: AbortSignal) => {
      const { Body, ETag: etag, LastModified } = await this.client.send(command, { abortSignal });
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      const time = timeOf();
      return { bytes, etag, time, age: time === undefined || !LastModified ? undefined : time - LastModified.getTime() };
    };
    return await this.ask(read, (e) => (e as Error).name === "NoSuchKey", signal);
  }

  /** Makes an object. Returns undefined if there is one of this name, or if another write of it goes on. */
  async create(name: string, body: string, signal?: AbortSignal): Promise<Stored | undefined> {
    const bytes = Buffer.from(body);
    const command = new this.sdk.PutObjectCommand({ ...this.at(name), Body: bytes, IfNoneMatch: "*" });
    const timeOf = timeOfAnswer(command);
    const put = async (abortSignal: AbortSignal) => {
      const { ETag: etag } = await this.client.send(command, { abortSignal });
      return { bytes, etag, time: timeOf(), age: 0 };
    };
    return await this.ask(put, (e) => EXISTS.includes(statusOf(e)), signal);
  }

  /**
   * Makes an object, by one attempt: a second one could meet what the first one has written. Returns whether it did.
   * Throws a Failure (exit 3) if it is refused, or if nobody knows.
   */
  async createOnce(name: string, body: Buffer): Promise<boolean> {
    const { credentials, systemClockOffset, requestHandler } = this.client.config;
    // the same connections, and the clock of the store as the client has learned it
    const client = this.clientOf({ ...this.config, maxAttempts: 1, credentials, systemClockOffset, requestHandler });
    const command = new this.sdk.PutObjectCommand({ ...this.at(name), Body: body, IfNoneMatch: "*" });
    let status: number | undefined;
    const put = async (abortSignal: AbortSignal) => {
      try {
        return await client.send(command, { abortSignal, requestTimeout: UPLOAD });
      } catch (e) {
        status = statusOf(e);
        throw e;
      }
    };
    try {
      return (await this.ask(put, (e) => EXISTS.includes(statusOf(e)))) !== undefined;
    } catch (e) {
      if (!(e instanceof Failure) || (status !== undefined && status >= 400 && status < 500)) throw e;
      throw environment(
        `${e.message}, and nobody knows whether the entries are in the ledger`,
        "run the command again, which looks for them; nothing was signed",
      );
    }
  }

  /** Removes an object if it is still the one with this entity tag. */
  async remove(name: string, etag: string | undefined, signal?: AbortSignal): Promise<void> {
    const command = new this.sdk.DeleteObjectCommand({ ...this.at(name), IfMatch: etag });
    await this.ask(
      (abortSignal) => this.client.send(command, { abortSignal }),
      (e) => [404, 409, 412].includes(statusOf(e) ?? 0),
      signal,
    );
  }

  /** Lists the objects of a folder whose names come after `after`, by their names. */
  async *list(folder: string, after: string): AsyncGenerator<ObjectName> {
    const { prefix } = this.parts;
    for (let last = prefix + folder + after; ; ) {
      const command = new this.sdk.ListObjectsV2Command({
        Bucket: this.parts.bucket,
        Prefix: prefix + folder,
        StartAfter: last,
        MaxKeys: KEYS,
      });
      const page = await this.ask(
        (abortSignal) => this.client.send(command, { abortSignal }),
        () => false,
      );
      for (const { Key = "", Size = 0 } of page?.Contents ?? []) {
        yield { name: Key.slice(prefix.length + folder.length), size: Size };
        last = Key;
      }
      if (!page?.IsTruncated) return;
    }
  }

  /** Says that the store ignores conditions. */
  ignoresConditions(): Failure {
    const [what, hint] = NO_CONDITIONS;
    return environment(`${this.place.text}: ${what}`, hint);
  }

  close(): void {
    this.client.destroy();
  }
}
