/**
 * Loads the user's App: imports the module that the command line names, and takes the App that it exports. The App may come
 * from another copy of this library, so it is recognised by its brand, and used through its methods only.
 */
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type App, isApp } from "../app/app.ts";
import { describeError } from "../errors.ts";
import { parseMissingPermission } from "../support/permissions.ts";
import { findSyntaxError, findUserFrame } from "../support/stack_trace.ts";
import { show } from "../support/validation.ts";
import { CommandError } from "./command.ts";

/**
 * Loads the App that a module exports as `app` or as its default.
 *
 * @param module a path, relative to the working directory, or a URL
 * @param limitMs how long it may take, in milliseconds. @default no limit
 * @throws {CommandError} if the module cannot be imported in time, or does not export exactly one App
 */
export async function loadApp(module: string, limitMs?: number): Promise<App> {
  return findApp(await importWithin(module, limitMs), module);
}

async function importWithin(module: string, limitMs: number | undefined): Promise<Record<string, unknown>> {
  const url = toModuleUrl(module);
  const importing = import(url).catch((thrown) => {
    throw createLoadError(module, url, thrown);
  });
  if (limitMs === undefined) return await importing;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(
      new CommandError(`Cannot load the App from ${show(module)} within ${limitMs} ms: a top-level await does not end`),
    );
  }, limitMs);
  try {
    return await Promise.race([importing, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function createLoadError(module: string, url: string, thrown: unknown): CommandError {
  const { errorClass, message, stack } = describeError(thrown);
  // As Deno says it, and as Node and Bun do.
  if ([`Module not found "${url}"`, `Cannot find module '${toPath(url)}'`].some((start) => message.startsWith(start))) {
    return new CommandError(`Cannot load the App: there is no module ${show(module)} (${url})`);
  }
  const missing = parseMissingPermission(message);
  if (missing !== null) {
    return new CommandError(
      `Cannot load the App from ${show(module)}: this process lacks a permission (${missing.reason}): start it with ` +
        `${missing.flag}; "worker --print-permissions" prints all that the App needs`,
    );
  }
  if (typeof thrown !== "object" || thrown === null) {
    return new CommandError(`Cannot load the App from ${show(module)}: the module threw ${show(thrown)}`);
  }
  const frame = findSyntaxError(thrown) ?? findUserFrame(stack);
  const where = frame === null || message.includes(frame) ? "" : `, at ${frame} (--debug shows the stack)`;
  return new CommandError(`Cannot load the App from ${show(module)}: ${errorClass}: ${message}${where}`, {
    cause: thrown,
  });
}

function findApp(exports: Record<string, unknown>, module: string): App {
  const names = Object.keys(exports).filter((name) => isApp(exports[name]));
  const found = new Set(["app", "default"].filter((name) => names.includes(name)).map((name) => exports[name] as App));
  const [app] = found;
  if (app !== undefined && found.size === 1) return app;
  if (found.size > 1) {
    throw new CommandError(`Cannot choose an App of ${show(module)}: "app" and its default are different Apps`);
  }
  if (names.length === 0 && "app" in exports) {
    throw new CommandError(`Cannot find the App in ${show(module)}: its "app" is not an App, but ${show(exports.app)}`);
  }
  const others = names.length > 0 ? names : Object.keys(exports);
  throw new CommandError(
    `Cannot find the App in ${show(module)}: it must export one as "app" or as its default, but it exports ${
      others.length === 0 ? "nothing" : others.map((name) => `"${name}"`).join(", ")
    }${names.length > 0 ? ' (an App: export it as "app")' : ""}`,
  );
}

function toPath(url: string): string {
  return url.startsWith("file:") ? fileURLToPath(url) : url;
}

/** A scheme has two letters or more: `C:\jobs\app.ts` is a path. */
function toModuleUrl(module: string): string {
  return /^[a-z][a-z0-9+.-]+:/i.test(module) ? module : pathToFileURL(resolve(module)).href;
}
